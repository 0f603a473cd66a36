"""``firefork doctor``: what this machine can do."""

import json
import platform

STATES = {"ok", "limited", "missing", "optional"}


class TestDoctor:
    def test_examines_everything_that_functions_need(self, firefork, runtimes_dir, capabilities):
        """JSON for programs: a list of findings, each with a remedy where something is missing."""
        result = firefork("doctor", "--json", "--runtimes-dir", runtimes_dir)
        assert result.returncode == 0
        findings = json.loads(result.stdout)
        found = {finding["subject"]: finding for finding in findings}
        assert {"system", "namespaces", "cgroups", "seccomp", "uv", "python3.12"} <= found.keys()
        assert all(finding.keys() == {"subject", "state", "detail", "remedy"} for finding in findings)
        assert {finding["state"] for finding in findings} <= STATES
        assert all(finding["remedy"] for finding in findings if finding["state"] == "missing")
        assert found["system"]["detail"].startswith(platform.system())
        assert (found["namespaces"]["state"] == "ok") == (capabilities.mode != "process")
        if capabilities.hierarchies is not None:
            assert f"version {capabilities.hierarchies.version}" in found["cgroups"]["detail"]
        assert found["python3.12"]["detail"].startswith("3.12.")

    def test_prints_a_line_for_each_finding(self, firefork, runtimes_dir):
        """For people; what mends something stands whole on a line of its own."""
        findings = json.loads(firefork("doctor", "--json", "--runtimes-dir", runtimes_dir).stdout)
        lines = firefork("doctor", "--runtimes-dir", runtimes_dir).stdout.splitlines()
        remedies = [line.split("-> ")[1] for line in lines if line.startswith(" " * 26 + "-> ")]
        assert remedies == [finding["remedy"] for finding in findings if finding["remedy"]]
        told = [line for line in lines if not line.startswith(" ")]
        assert [line.split()[0] for line in told] == [finding["state"] for finding in findings]
        assert all(finding["detail"] in line for finding, line in zip(findings, told, strict=True))

    def test_fails_where_no_function_could_run(self, firefork, tmp_path):
        """Without a runtime client; the command that installs it is named."""
        result = firefork("doctor", "--json", "--runtimes-dir", tmp_path)
        assert result.returncode == 1
        assert result.stderr == ""
        remedies = {finding["subject"]: finding["remedy"] for finding in json.loads(result.stdout)}
        assert remedies["python3.12"] == "firefork runtimes install python3.12"
