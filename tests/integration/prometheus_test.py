#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Against the real thing: `promtool check metrics` has nothing to say, the shipped alert fires in a Prometheus that scrapes
goleakd, and every query of the dashboard runs there and finds something. Then the leaking program ends, and its series with it.
"""

import json
import signal
import subprocess
import sys

import harness
from daemon import Daemon, need_root

DEPLOY = harness.REPOSITORY / "deploy"
QUICK = {"quiet_after_start": "1s", "growing_window": "10s", "growing_intervals": 5, "growing_rises": 4}


def check_metrics(daemon):
    text = daemon.metrics()
    checked = subprocess.run([harness.tool("promtool"), "check", "metrics"], input=text, capture_output=True, text=True,
                             check=False)
    said = checked.stdout + checked.stderr
    assert checked.returncode == 0 and not said, f"promtool check metrics: {said}"
    return len(text.splitlines())


def prometheus_config(folder, daemon):
    config = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
              "rule_files": [str(DEPLOY / "prometheus" / "goleakd.rules.yml")],
              "scrape_configs": [{"job_name": "goleakd", "static_configs": [{"targets": [f"127.0.0.1:{daemon.port}"]}]}]}
    path = folder / "prometheus.yml"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


def alerts(url):
    return [alert for alert in json.loads(harness.http_get(f"{url}/api/v1/alerts"))["data"]["alerts"]
            if alert["state"] == "firing"]


def main():
    need_root()
    shop = harness.build_target("shop", "1.27", stripped=True)
    fixed = harness.build_target("shopfixed", "1.27", stripped=True)
    load = harness.build_target("load", "1.27")
    with harness.temp_dir() as folder, harness.Server(shop, "-addr", "127.0.0.1:0") as leaking, \
            harness.Server(fixed, "-addr", "127.0.0.1:0") as twin, \
            harness.Process([load, "-rate", "40", "-for", "10m", f"{leaking.url}/report", f"{leaking.url}/quote",
                             f"{twin.url}/report", f"{twin.url}/quote"]), \
            Daemon(folder, [shop, fixed], thresholds=QUICK, snapshots={"interval": "1s"}) as daemon:
        port = harness.free_port()
        url = f"http://127.0.0.1:{port}"
        with harness.Process([harness.tool("prometheus"), f"--config.file={prometheus_config(folder, daemon)}",
                              f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"]):
            firing = harness.wait_for(lambda: ready(url) and [a for a in alerts(url) if a["labels"]["alertname"]
                                                              == "GoroutineLeak"], 120, "the alert to fire")
            assert {alert["labels"]["app"] for alert in firing} == {"shop"}, firing
            lines = check_metrics(daemon)
            leaks = {target["app"]: target["leaks"] for target in daemon.api("leaks")["targets"]}
            causes = {leak["cause"]: leak for leak in leaks["shop"] if leak["stage"] == "leaking"}
            assert set(causes) == {"range_never_closed", "send_unbuffered_no_receiver"}, causes.keys()
            assert causes["range_never_closed"]["creation"]["function"] == "main.report"
            assert causes["send_unbuffered_no_receiver"]["blocked"]["function"] == "main.quote.func1"
            assert leaks["shopfixed"] == [], leaks["shopfixed"]
            dashboard = subprocess.run(
                [sys.executable, harness.REPOSITORY / "tests/integration/dashboard_exprs.py", "--wait", "30",
                 DEPLOY / "grafana" / "goleakd.json", url], check=False)
            assert dashboard.returncode == 0, "a query of the dashboard failed"

            leaking.signal(signal.SIGKILL)
            leaking.wait()
            harness.wait_for(lambda: daemon.metric("goleakd_target_up", app="shop") is None, 10, "the target's series to end")
            assert daemon.metric("goleakd_goroutines", app="shop") is None
            check_metrics(daemon)
    print(f"{lines} lines of metrics, {len(firing)} alerts firing")


def ready(url):
    try:
        return harness.http_get(f"{url}/-/ready", 2)
    except OSError:
        return None


main()
