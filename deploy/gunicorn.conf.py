"""gunicorn: sync processes only, since Flask-AppBuilder shares view state between threads."""

import gc
import os

bind = os.environ.get("PREAU_ECOUTE") or f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("PREAU_PROCESSUS", "2"))
worker_class = "sync"
timeout = 60
graceful_timeout = 20
max_requests = 5000
max_requests_jitter = 500
preload_app = False  # each process opens its own connections
forwarded_allow_ips = ""  # ProxyFix trusts the proxies PREAU_MANDATAIRES counts, gunicorn none
limit_request_line = 8190
limit_request_fields = 100
loglevel = "warning"
proc_name = "preau"


def post_worker_init(worker):
    """Send the logs of the process to stderr as JSON; look for lost objects among those of requests only.

    The application is a few hundred thousand objects that live as long as the process: left to itself,
    Python would walk through them all in the middle of a page.
    """
    from app import logs
    from app.plans import keep_plans

    logs.configure(os.environ.get("PREAU_JOURNAL_NIVEAU", "INFO"))
    keep_plans()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
