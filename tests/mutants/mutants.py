"""Deliberate mistakes at the heart of the push server, each with the test that must notice it."""

from typing import Final, NamedTuple


class Mutant(NamedTuple):
    """`text` stands once in `file` (of `services/pushserver`) and is replaced; `killer` is a test that fails then."""

    name: str
    file: str
    text: str
    replacement: str
    killer: str


MUTANTS: Final = (
    Mutant(
        "the mailbox has no limit",
        "mailbox.py",
        "if self.size + size > self._limit_bytes:",
        "if self.size < 0:",
        "test_mailbox.py::test_the_size_is_that_of_what_waits_and_never_above_the_limit",
    ),
    Mutant(
        "a newer change doesn't take the place of the one that waits",
        "mailbox.py",
        "known = self._entries.get(change.label) if conflate else None",
        "known, conflate = None, False",
        "test_mailbox.py::test_a_newer_change_takes_the_place_of_the_one_that_waits",
    ),
    Mutant(
        "a conflated change moves to the end",
        "mailbox.py",
        "            waiting.change = change\n",
        "            waiting.change = change\n            self._entries.move_to_end(change.label)\n",
        "test_mailbox.py::test_a_newer_change_takes_the_place_of_the_one_that_waits",
    ),
    Mutant(
        "what was elided is not counted",
        "mailbox.py",
        "            self.elided += 1",
        "            self.elided += 0",
        "test_subscriber.py::test_a_blocked_reader_gets_the_newest_later_and_is_told_how_much_was_left_out",
    ),
    Mutant(
        "a cursor during a flush takes the newest offset for the one since when its resource waits",
        "mailbox.py",
        "= waiting.first + 1",
        "= waiting.change.event.offset + 1",
        "test_mailbox.py::test_what_is_written_never_runs_ahead_of_what_waits",
    ),
    Mutant(
        "a stream that was behind is told its place at the end only",
        "mailbox.py",
        "(last or number % MARK_EVERY == 0)",
        "last",
        "test_subscriber.py::test_a_stream_that_was_behind_is_told_its_place_as_often",
    ),
    Mutant(
        "a stream is told its place at the end of a batch only",
        "change.py",
        "elif count % MARK_EVERY == 0:",
        "elif count < 0:",
        "test_subscriber.py::test_a_stream_is_told_its_place_between_the_pieces_of_a_batch",
    ),
    Mutant(
        "a bookmark overtakes what waits",
        "subscriber.py",
        "if self.blocked or self._mailbox is not None or self._openings:",
        "if self.ended:",
        "test_subscriber.py::test_a_bookmark_waits_until_everything_is_written",
    ),
    Mutant(
        "each change is a write of its own",
        "hub.py",
        "            self._write_row(row, delivery.payload(row.wire))\n",
        "            for change in delivery.changes:\n                self._write_row(row, change.frame(row.wire))\n",
        "test_hub.py::test_a_batch_is_one_write_for_each_subscriber",
    ),
    Mutant(
        "the hub writes past what waits",
        "subscriber.py",
        "free = not self._blocked and self._mailbox is None and",
        "free = not self._blocked and",
        "test_subscriber.py::test_what_comes_while_something_waits_waits_behind_it",
    ),
    Mutant(
        "what waits of an ended epoch is told",
        "mailbox.py",
        "self.forget(lambda change: change.channel is channel)",
        "self.forget(lambda change: change.channel is None)",
        "test_hub.py::test_what_waits_of_an_ended_epoch_is_dropped",
    ),
    Mutant(
        "each watch of a connection tells the event",
        "hub.py",
        "if subscriber.subscriptions.only is not None:",
        "if subscriber.subscriptions:",
        "test_hub.py::test_an_event_that_several_watches_match_is_told_once",
    ),
    Mutant(
        "an id that is shorter than a prefix matches it",
        "audience.py",
        "if length <= len(event.id) and event.id[:length] in self._by_prefix:",
        "if event.id[:length] in self._by_prefix:",
        "test_audience.py::test_an_id_does_not_match_a_longer_prefix",
    ),
    Mutant(
        "deletes that are forgotten don't matter to a resume",
        "resume.py",
        "if not known and any(",
        "if known and any(",
        "test_resume.py::test_a_watch_of_the_collection_begins",
    ),
    Mutant(
        "a cursor of one watch is good for every other",
        "resume.py",
        "return watch.narrow and scope_tag(watch.label) in segment.scopes",
        "return True",
        "test_resume.py::test_a_watch_of_the_collection_begins",
    ),
    Mutant(
        "a log watch resumes where records are missing",
        "resume.py",
        "if history is None or any(history.windows[p].floor > start for p, start in starts.items()):",
        "if history is None:",
        "test_resume.py::test_a_watch_of_the_collection_begins",
    ),
    Mutant(
        "a cursor of another epoch is taken for one of this",
        "resume.py",
        "return segment.epoch != channel.epoch or any(",
        "return any(",
        "test_resume.py::test_a_watch_of_the_collection_begins",
    ),
    Mutant(
        "a resume tells no deletes",
        "walk.py",
        "if all_covered and start >= deletes_from:\n            return None",
        "if all_covered:\n            return lambda event: event.data is not None",
        "test_walk.py::test_a_resume_has_what_came_after_deletes_included",
    ),
    Mutant(
        "a socket that is full is written to as if it weren't",
        "subscription.py",
        "            self.channel.audience.changed(self)\n",
        "",
        "test_hub.py::test_a_socket_that_is_full_is_left_alone_until_it_takes_bytes_again",
    ),
    Mutant(
        "what a socket did not take is lost",
        "hub.py",
        "sink.finish(payload, written)",
        "sink.finish(payload, len(payload))",
        "test_hub.py::test_the_rest_of_what_a_socket_takes_in_part_is_written_by_its_connection",
    ),
    Mutant(
        "who comes after a full socket is told nothing",
        "hub.py",
        "                done += 1\n\n\nclass",
        "                done = len(row.sockets)\n\n\nclass",
        "test_hub.py::test_the_rest_of_what_a_socket_takes_in_part_is_written_by_its_connection",
    ),
    Mutant(
        "a delivery that waited doesn't count as written",
        "mailbox.py",
        "            written[partition] = position\n",
        "            written[partition] += 0\n",
        "test_mailbox.py::test_a_delivery_waits_and_is_written_whole",
    ),
    Mutant(
        "what changed during a snapshot is not told",
        "opening.py",
        "return self._walk is None or self._walk.current",
        "return self._walk is None or self._walk.done",
        "test_opening.py::test_what_changes_during_a_snapshot_is_told_before_synced_and_nothing_twice",
    ),
    Mutant(
        "nobody minds what was dropped under a walk",
        "opening.py",
        "return self._walk is not None and self._walk.broken",
        "return False",
        "test_opening.py::test_records_that_were_dropped_during_a_resume_end_the_connection",
    ),
    Mutant(
        "a slow reader is taken for a stalled one",
        "transports/stall.py",
        "if look.taken != self._taken:",
        "if False:",
        "test_stall.py::test_a_byte_taken_begins_it_anew",
    ),
    Mutant(
        "a front door that has gone is believed for ever",
        "share.py",
        "if now_s - told.at_s > FORGOTTEN_AFTER_S",
        "if now_s < 0",
        "test_share.py::test_the_last_word_of_a_door_that_has_gone_is_forgotten",
    ),
    Mutant(
        "a full server refuses whoever comes back to it",
        "share.py",
        "        self._refused[request_id] = None\n        return True",
        "        return True",
        "test_share.py::test_a_full_server_refuses_each_request_once_so_that_nobody_is_left_with_a_refusal",
    ),
    Mutant(
        "the cursor of a poll that has ended runs on",
        "transports/longpoll.py",
        "return self._ended_at if self.subscriber.ended else self.subscriber.cursor()",
        "return self.subscriber.cursor()",
        "test_gathering.py::test_what_comes_after_the_end_is_not_covered_by_the_cursor",
    ),
    Mutant(
        "an operation may watch what isn't granted",
        "session.py",
        '        self.principal.require("watch", request.watch)\n',
        "",
        "test_session_grants.py::test_a_watch_needs_a_grant_for_all_that_it_can_show",
    ),
    Mutant(
        "an operation may write what isn't granted",
        "session.py",
        '        self.principal.require("publish", watch)\n',
        "",
        "test_session_grants.py::test_a_write_needs_a_grant_of_its_own_and_goes_on_with_the_token",
    ),
    Mutant(
        "what waits for a stalled reader outlives its token",
        "guard.py",
        "        subscriber.sink.cut()\n",
        "",
        "test_guard.py::test_nothing_that_waits_for_a_stalled_reader_leaves_after_its_end",
    ),
    Mutant(
        "a connection outlives its token by a moment",
        "guard.py",
        "if left_s <= 0:",
        "if left_s < 0:",
        "test_guard.py::test_a_websocket_is_told_a_minute_ahead_and_closed_at_the_end",
    ),
    Mutant(
        "one connection more than a principal may have",
        "quota.py",
        "account.connections >= self._per_principal",
        "account.connections > self._per_principal",
        "test_quota.py::test_a_principal_has_so_many_connections_and_others_have_theirs",
    ),
    Mutant(
        "watches that have ended are still counted",
        "watchlist.py",
        "        self.account.watches -= before - len(self)\n",
        "",
        "test_quota.py::test_watches_of_a_principal_are_counted_over_its_connections",
    ),
    Mutant(
        "who has left is still known",
        "guard.py",
        "            del waiting[subscriber]\n",
        "",
        "test_guard.py::test_who_has_left_is_forgotten_and_holds_nothing",
    ),
)
