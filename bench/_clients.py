"""Four clients of a portal: two load the overview, two log arrivals, until stdin ends."""

import http.client
import json
import sys
import threading
import time
import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

TOKEN = "b" * 32
SHANGHAI = ZoneInfo("Asia/Shanghai")


def main() -> None:
    """Send requests until stdin ends; write the seconds of each answer, and the errors."""
    options = json.loads(sys.argv[1])
    stop = threading.Event()
    took: dict[str, list[float]] = {"overview": [], "arrival": []}
    errors: list[str] = []
    workers = [
        threading.Thread(target=_work, args=(options, kind, number, stop, took[kind], errors))
        for kind in took
        for number in range(2)
    ]
    for worker in workers:
        worker.start()
    sys.stdin.read()
    stop.set()
    for worker in workers:
        worker.join()
    json.dump({"took": took, "wrong": errors}, sys.stdout)


def _work(  # noqa: PLR0917 - a thread of a script
    options: dict[str, Any],
    kind: str,
    number: int,
    stop: threading.Event,
    took: list[float],
    errors: list[str],
) -> None:
    session = options["sessions"]["supervisor" if kind == "overview" else "staff"]
    headers = {
        "Cookie": f"sessionid={session}; csrftoken={TOKEN}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    while not stop.is_set():
        connection = http.client.HTTPConnection("127.0.0.1", options["port"], timeout=60)
        begun = time.perf_counter()
        if kind == "overview":
            connection.request("GET", "/overview/", headers=headers)
        else:
            connection.request("POST", "/arrivals/new/", _form(options["grid"]), headers)
        answer = connection.getresponse()
        answer.read()
        took.append(time.perf_counter() - begun)
        connection.close()
        if answer.status != (200 if kind == "overview" else 302):
            errors.append(f"{kind} {number}: {answer.status}")


def _form(grid: str) -> str:
    number = uuid.uuid4().int
    return urlencode(
        {
            "csrfmiddlewaretoken": TOKEN,
            "key": str(uuid.uuid4()),
            "document_type": "passport",
            "number": f"E{number % 10**8:08}",
            "name": "王秀英",
            "phone": "13800138000",
            "grid": grid,
            "building": f"{number % 40}号楼",
            "door": f"{number % 30 + 101}",
            "arrived": f"{datetime.now(SHANGHAI):%Y-%m-%d}",
            "coming": "home",
            "origin": "兰州",
            "home_fit": "yes",
            "stay-TOTAL_FORMS": "0",
            "stay-INITIAL_FORMS": "0",
        }
    )


if __name__ == "__main__":
    main()
