"""The command line: ``firefork``."""

from __future__ import annotations

import os
import sys

import click

import firefork
from firefork.cli import backup, console, demo, doctor, env, runtimes, up


@click.group(help="Run AWS Lambda functions written in Python on machines you own.")
@click.version_option(firefork.__version__, prog_name="firefork", message="%(prog)s %(version)s")
def app() -> None:
    pass


for _command in (
    up.up,
    console.console,
    env.env,
    doctor.doctor,
    runtimes.runtimes,
    demo.demo,
    backup.backup,
    backup.restore,
):
    app.add_command(_command)


def main() -> None:
    """Run the command line; errors are one line and an exit status of 1, or 2 for wrong usage."""
    try:
        code = app(standalone_mode=False, prog_name="firefork")
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        message = " ".join(error.format_message().split())
        print(f"firefork: {message}", file=sys.stderr)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
