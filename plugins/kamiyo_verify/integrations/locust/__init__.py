"""Load past one machine: Locust as a process of its own, headless, with a master and workers.

https://docs.locust.io
"""
