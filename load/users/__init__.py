"""Watchers and publishers for locust; `load/locustfile.py` names them.

They run as greenlets: locust has made `socket`, `ssl`, `threading` and `time.sleep` of the standard library cooperative
before any of this is imported. Nothing here needs more of this project than this folder, nor more libraries than
locust's image has, so that a cluster can mount it as it is.
"""
