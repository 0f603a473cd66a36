"""What a function finds around it: variables, paths, user, limits, locale, credentials (fact sheet 1.2, 1.3, 2.1)."""

import base64
import json
import re

import pytest

SHOW = """
import getpass, json, locale, os, pwd, resource, site, sys, time

seen_at_init = dict(os.environ)

def handler(event, context):
    return {
        "variables": dict(os.environ),
        "at_init": seen_at_init,
        "cwd": os.getcwd(),
        "path": sys.path,
        "user": [getpass.getuser(), pwd.getpwuid(os.getuid()).pw_name, os.getuid() != 0, os.getgid() != 0],
        "limits": {name: resource.getrlimit(getattr(resource, name)) for name in
                   ("RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_MEMLOCK")},
        "encoding": [sys.getfilesystemencoding(), locale.getpreferredencoding(), sys.stdout.encoding],
        "zone": [time.tzname[0], time.timezone],
        "argv": sys.argv,
        "flags": [sys.flags.no_user_site, sys.stdout.line_buffering],
        "executable": sys.executable,
    }
"""

EVERY_RUNTIME = {
    "_HANDLER": "app.handler",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_RUNTIME_API": "169.254.100.1:9001",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000",
    "_AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1",
    "_AWS_XRAY_DAEMON_PORT": "2000",
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": (
        "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
    ),
    "PYTHONPATH": "/var/runtime",
    "PWD": "/var/task",
    "SHLVL": "0",
}
"""Recorded on AWS; what differs from function to function is checked apart."""

SHOW_FROM_PERL = r"""#!/usr/bin/perl
use strict; use IO::Socket::INET;
my ($host, $port) = split /:/, $ENV{AWS_LAMBDA_RUNTIME_API};
sub call { my ($request) = @_;
  my $s = IO::Socket::INET->new(PeerHost => $host, PeerPort => $port) or die $!;
  print $s $request; my $all = join '', <$s>; return $all; }
while (1) {
  my $next = call("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  my ($id) = $next =~ /Lambda-Runtime-Aws-Request-Id: (\S+)/i;
  my $body = "{" . join(",", map { "\"$_\":\"$ENV{$_}\"" } keys %ENV) . "}";
  call("POST /2018-06-01/runtime/invocation/$id/response HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" .
       "Content-Length: " . length($body) . "\r\n\r\n$body");
}
"""

ENDPOINT = "AWS_ENDPOINT_URL"
"""The one variable that AWS does not have: it makes the SDK find this server."""


def version_of(runtime):
    return tuple(map(int, runtime.removeprefix("python").split(".")))


@pytest.fixture(scope="module")
def show(make_function, isolated):
    """A function that shows its surroundings, per runtime."""
    known = {}

    def make(runtime):
        if runtime not in known:
            known[runtime] = make_function(SHOW, runtime=runtime)
        return known[runtime]

    return make


class TestVariables:
    def test_are_those_of_aws_and_no_others(self, show, runtime):
        """The exact set, names and values."""
        function = show(runtime)
        variables = function()["variables"]
        expected = EVERY_RUNTIME | {
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            ENDPOINT: "http://169.254.100.1:4566",
        }
        if version_of(runtime) >= (3, 12):
            expected["LC_CTYPE"] = "C.UTF-8"
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            assert variables.pop(name)
        assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", variables.pop("AWS_LAMBDA_LOG_STREAM_NAME"))
        assert re.fullmatch(
            r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01]", variables.pop("_X_AMZN_TRACE_ID")
        )
        assert variables == expected

    @pytest.mark.parametrize("base", ["provided.al2", "provided.al2023"])
    def test_of_ones_own_bootstrap(self, make_function, zipped, isolated, base):
        """Recorded for a program that the service starts itself: nothing of Python's, and nothing of a shell's."""
        code = zipped({"bootstrap": SHOW_FROM_PERL}, executables=["bootstrap"])
        variables = make_function(code, runtime=base)()
        names = EVERY_RUNTIME.keys() - {"PYTHONPATH", "PWD", "SHLVL"}
        expected = {name: EVERY_RUNTIME[name] for name in names}
        if base == "provided.al2":
            for name in ("PATH", "LD_LIBRARY_PATH"):
                expected[name] = expected[name].removeprefix("/var/lang/bin:").removeprefix("/var/lang/lib:")
        assert {name: variables.get(name) for name in expected} == expected
        assert variables.keys() - names == {
            *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_FUNCTION_NAME"),
            *("AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "_X_AMZN_TRACE_ID", ENDPOINT),
        }

    def test_are_there_at_init_already(self, show, runtime):
        answer = show(runtime)()
        trace, at_init = "_X_AMZN_TRACE_ID", answer["at_init"]
        assert {**answer["variables"], trace: None} == {**at_init, trace: None}

    def test_the_role_has_temporary_credentials(self, show, runtime):
        assert show(runtime)()["variables"]["AWS_ACCESS_KEY_ID"].startswith("ASIA")

    def test_the_log_stream_is_the_one_that_is_written_to(self, show, runtime, logs):
        function = show(runtime)
        stream = function()["variables"]["AWS_LAMBDA_LOG_STREAM_NAME"]
        events = logs.get_log_events(logGroupName=f"/aws/lambda/{function.name}", logStreamName=stream)["events"]
        assert events[0]["message"].startswith("INIT_START ")

    def test_a_functions_own_come_literally(self, make_function, runtime):
        """No expansion, any character; they win over the platform's unreserved ones."""
        own = {"AB": "$HOME ${PATH}\n'ü€'", "TZ": "Europe/Paris", "LANG": "C", "AWS_ENDPOINT_URL": "http://elsewhere:1"}
        source = """
import os, time
def handler(event, context):
    return [{name: os.environ[name] for name in event}, time.tzname]
"""
        function = make_function(source, runtime=runtime, Environment={"Variables": own})
        values, zone = function(list(own))
        assert values == own
        assert zone == ["CET", "CEST"]


class TestProcess:
    def test_cwd_user_locale_and_limits(self, show, runtime):
        answer = show(runtime)()
        assert answer["cwd"] == "/var/task"
        assert answer["user"] == ["sbx_user1051", "sbx_user1051", True, True]
        assert [name.lower() for name in answer["encoding"]] == ["utf-8"] * 3
        assert answer["zone"] == ["UTC", 0]
        assert answer["limits"]["RLIMIT_NOFILE"] == [1024, 1024]
        assert answer["limits"]["RLIMIT_STACK"][0] == 8 << 20
        assert answer["executable"] == f"/var/lang/bin/{runtime}"

    def test_the_search_path_has_awss_order(self, show, runtime):
        version = f"python{'.'.join(map(str, version_of(runtime)))}"
        zipped = f"/var/lang/lib/{version.replace('.', '')}.zip"
        bundled = ["/var/runtime", f"/var/lang/lib/{version}/site-packages"]
        if version_of(runtime) >= (3, 11):
            bundled.reverse()
        standard = [zipped, f"/var/lang/lib/{version}", f"/var/lang/lib/{version}/lib-dynload"]
        assert show(runtime)()["path"] == [
            "/var/task",
            f"/opt/python/lib/{version}/site-packages",
            "/opt/python",
            *bundled,
            *standard,
        ]

    def test_a_users_pythonpath_takes_the_layers_place(self, make_function, lambda_, zipped, runtime):
        """AWS adds the layers' folders only where the user did not set PYTHONPATH."""
        layer = zipped({"python/inlayer.py": "", "extra/mine.py": "VALUE = 'from the layer'"})
        arn = lambda_.publish_layer_version(
            LayerName=f"path-{runtime[6:].replace('.', '')}", Content={"ZipFile": layer}
        )
        source = """
import os, sys, mine
def handler(event, context):
    return [sys.path, os.environ["PYTHONPATH"], mine.VALUE]
"""
        function = make_function(
            source,
            runtime=runtime,
            Layers=[arn["LayerVersionArn"]],
            Environment={"Variables": {"PYTHONPATH": "/opt/extra:/var/task/lib"}},
        )
        path, variable, value = function()
        assert variable == "/opt/extra:/var/task/lib"
        assert value == "from the layer"
        assert path[:3] == ["/var/task", "/opt/extra", "/var/task/lib"]
        assert not [entry for entry in path if entry.startswith("/opt/python")]

    def test_pth_files_of_the_package_count(self, make_function):
        files = {
            "app.py": "import vendored\ndef handler(event, context):\n    return vendored.__file__\n",
            "vendor.pth": "vendor\n",
            "vendor/vendored.py": "",
        }
        assert make_function(files)() == "/var/task/vendor/vendored.py"

    def test_a_handler_may_be_a_path(self, make_function):
        """Slashes of the module part become dots."""
        files = {"src/api/main.py": "def run(event, context):\n    return __name__\n"}
        assert make_function(files, handler="src/api/main.run")() == "src.api.main"

    def test_children_find_the_interpreter_and_the_client(self, make_function, runtime):
        """A child process runs the same interpreter, with /var/runtime on its path."""
        source = """
import subprocess, sys
def handler(event, context):
    command = "import sys, awslambdaric; print(sys.version_info[:2], awslambdaric.__file__, sys.executable)"
    return [subprocess.check_output([name, "-c", command], text=True) for name in (sys.executable, "python3")]
"""
        answers = make_function(source, runtime=runtime)()
        expected = f"{version_of(runtime)} /var/runtime/awslambdaric/__init__.py /var/lang/bin/"
        assert answers[0].startswith(expected)
        assert answers[1].startswith(expected)


class TestFiles:
    def test_only_tmp_can_be_written(self, make_function, isolated):
        source = """
import os
def handler(event, context):
    answers = {}
    for folder in event:
        try:
            with open(folder + "/probe", "w") as file:
                file.write("x")
            answers[folder] = "written"
        except OSError as error:
            answers[folder] = error.strerror
    status = os.stat("/tmp")
    return [answers, oct(status.st_mode), os.stat("/var/task").st_uid, oct(os.stat("/var/task").st_mode & 0o777)]
"""
        folders = [
            "/",
            "/var/task",
            "/opt",
            "/var/runtime",
            "/var/lang/lib",
            "/etc",
            "/usr/bin",
            "/home",
            "/dev",
            "/tmp",
        ]
        answers, mode, owner, task_mode = make_function(source)(folders)
        assert [folder for folder, answer in answers.items() if answer == "written"] == ["/tmp"]
        assert set(answers.values()) <= {"written", "Read-only file system", "Permission denied"}
        assert mode == "0o41777"
        # Without root the server's user is the only one that there is outside, and the function's inside.
        assert (owner, task_mode) == (0 if isolated.mode == "root" else 993, "0o755")

    def test_tmp_has_the_configured_size(self, make_function, isolated):
        """512 MB unless configured; what does not fit is refused with ENOSPC and the function lives on."""
        source = """
import os
def handler(event, context):
    status = os.statvfs("/tmp")
    size = status.f_frsize * status.f_blocks >> 20
    try:
        with open("/tmp/big", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, event["mb"] << 20)
        fits = True
    except OSError as error:
        fits = error.strerror
    finally:
        os.unlink("/tmp/big")
    return [size, fits]
"""
        function = make_function(source, MemorySize=2048, EphemeralStorage={"Size": 600})
        assert function({"mb": 590}) == [600, True]
        assert function({"mb": 610}) == [600, "No space left on device"]
        assert make_function(source, MemorySize=1024)({"mb": 1}) == [512, True]

    def test_file_modes_of_the_package_are_kept(self, make_function, zipped):
        source = """
import os, subprocess
def handler(event, context):
    return [oct(os.stat("tool").st_mode & 0o777), subprocess.check_output(["./tool"], text=True)]
"""
        files = {"app.py": source, "tool": "#!/bin/sh\necho ran\n"}
        assert make_function(zipped(files, executables=["tool"]))() == ["0o755", "ran\n"]


class TestWrapper:
    SOURCE = (
        "import os\ndef handler(event, context):\n    return [os.environ.get('WRAPPED'), os.environ['ARGUMENTS']]\n"
    )

    def test_gets_the_interpreters_command(self, make_function, zipped, runtime):
        """AWS: developer guide, "Wrapper scripts"."""
        script = '#!/bin/sh\nexport WRAPPED=yes ARGUMENTS="$*"\nexec "$@"\n'
        function = make_function(
            zipped({"app.py": self.SOURCE, "wrap": script}, executables=["wrap"]),
            runtime=runtime,
            Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrap"}},
        )
        wrapped, arguments = function()
        assert wrapped == "yes"
        assert arguments == f"/var/lang/bin/{runtime} /var/runtime/bootstrap.py"
        assert len(function.invoke().tail.splitlines()) == 3

    def test_that_is_missing_ends_the_runtime_with_127(self, make_function):
        function = make_function(self.SOURCE, Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/none"}})
        result = function.invoke()
        assert json.loads(result.body) == {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {result.request_id} Error: Runtime exited with error: exit status 127",
        }


class TestContext:
    SOURCE = """
import os
def handler(event, context):
    client = context.client_context
    return {
        "client": client and [client.custom, client.env, client.client and client.client.app_title],
        "identity": context.identity and context.identity.cognito_identity_id,
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
        "arn": context.invoked_function_arn,
        "stream": context.log_stream_name,
        "version": context.function_version,
    }
"""

    @pytest.fixture(scope="class")
    @classmethod
    def function(cls, make_function):
        return make_function(cls.SOURCE)

    def test_client_context(self, function):
        told = {"custom": {"k": "ü"}, "env": {"locale": "de"}, "client": {"app_title": "app"}}
        encoded = base64.b64encode(json.dumps(told).encode()).decode()
        assert function(ClientContext=encoded)["client"] == [{"k": "ü"}, {"locale": "de"}, "app"]
        assert function()["client"] is None

    def test_each_invoke_has_a_trace_of_its_own(self, function):
        first, second = function()["trace"], function()["trace"]
        assert first != second

    def test_a_callers_trace_header_comes_through(self, function, server):
        client = server.client("lambda")
        header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

        def add(request, **_):
            request.headers["X-Amzn-Trace-Id"] = header

        client.meta.events.register("before-sign.lambda.Invoke", add)
        answer = client.invoke(FunctionName=function.name)
        assert json.loads(answer["Payload"].read())["trace"].startswith("Root=1-5759e988-bd862e3fe1be46a994272793;")

    def test_the_arn_is_as_it_was_called(self, function, lambda_):
        arn = lambda_.get_function_configuration(FunctionName=function.name)["FunctionArn"]
        assert function()["arn"] == arn
        assert function(Qualifier="$LATEST")["arn"] == f"{arn}:$LATEST"
        version = lambda_.publish_version(FunctionName=function.name)["Version"]
        answer = function(Qualifier=version)
        assert (answer["arn"], answer["version"]) == (f"{arn}:{version}", version)
        assert f"[{version}]" in answer["stream"]
