"""The subscribers, in a process of their own on a core of their own: `python -m load.bench.crowd`.

It is told what to do by lines of JSON on its standard input and answers each with a line (`task.py`). It reads raw
sockets by epoll, because whatever it costs delays the last byte that the benchmark waits for.
"""
