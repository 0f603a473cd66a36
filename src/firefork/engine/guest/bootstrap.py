"""What a managed runtime's interpreter runs; functions see it as ``/var/runtime/bootstrap.py``.

With a control descriptor in its environment it is a zygote first: it serves forks until it is itself a forked,
bound runtime, and then goes on exactly like an interpreter that was started for the function.
"""

import os
import site
import sys


def search_path(task_root: str) -> None:
    """Set ``sys.path`` in AWS's order: task, layers, SDK and client, standard library (fact sheet, section 1.3)."""
    version = "python%d.%d" % sys.version_info[:2]
    runtime_dir = os.environ.get("LAMBDA_RUNTIME_DIR", "/var/runtime")
    packages = os.environ.pop("_FIREFORK_SITE_PACKAGES", "/var/lang/lib/%s/site-packages" % version)
    layers = os.environ.pop("_FIREFORK_OPT", "/opt") + "/python"
    own = {"", runtime_dir, packages, os.path.dirname(os.path.abspath(__file__))}
    rest = [entry for entry in sys.path if entry not in own and not entry.endswith("/site-packages")]
    if os.environ.get("PYTHONPATH", runtime_dir) == runtime_dir:
        os.environ["PYTHONPATH"] = runtime_dir
        first = ["%s/lib/%s/site-packages" % (layers, version), layers]
    else:
        users = os.environ["PYTHONPATH"].split(os.pathsep)
        first = [entry for entry in rest if entry in users]
        rest = [entry for entry in rest if entry not in users]
    bundled = [packages, runtime_dir] if sys.version_info >= (3, 11) else [runtime_dir, packages]
    sys.path[:] = first + bundled + rest
    known = len(sys.path)
    site.addsitedir(task_root)  # as AWS: `.pth` files of the package count
    added = sys.path[known:]
    sys.path[:] = added + sys.path[:known]


def main() -> None:
    control = os.environ.pop("_FIREFORK_CONTROL", None)
    if control is not None:
        guest = os.environ.pop("_FIREFORK_GUEST")
        sys.path.insert(0, guest)
        from firefork.engine.guest import zygote

        zygote.serve(int(control))
        sys.path.remove(guest)
        for name in [name for name in sys.modules if name.partition(".")[0] == "firefork"]:
            del sys.modules[name]
    task_root = os.environ["LAMBDA_TASK_ROOT"]
    search_path(task_root)
    from awslambdaric.__main__ import main as start

    start([task_root, os.environ["_HANDLER"]])


if __name__ == "__main__":
    main()
