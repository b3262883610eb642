"""An S3 server on loopback that knows one user, and refuses everyone else.

It is moto's: it speaks the S3 protocol over HTTP, and checks signatures.
"""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import boto3
import requests

from repro.small_project import BIN

BUCKET = "fleet-models"
_ALL_OF_S3 = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}


class S3Server(NamedTuple):
    """Where it listens, and the keys of the one user it knows."""

    url: str
    key: str
    secret: str

    @property
    def environ(self) -> dict[str, str]:
        """What tells a client the keys; the region is for the signatures."""
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
        }


@contextmanager
def s3_server(log: Path) -> Iterator[S3Server]:
    """Serve an empty bucket for as long as the context lasts; log every request."""
    # A file, as a pipe that nobody reads would be full one day, and stop the server.
    with log.open("wb") as said:
        process = subprocess.Popen(  # noqa: S603
            [BIN / "moto_server", "-H", "127.0.0.1", "-p", "0"],
            # Nobody is refused before there is a user.
            env=os.environ
            | {"INITIAL_NO_AUTH_ACTION_COUNT": "1000", "PYTHONUNBUFFERED": "1"},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _with_one_user(_address(process, log))
        finally:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    while process.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"The server did not start:\n{log.read_text()}")


def _with_one_user(url: str) -> S3Server:
    anyone = {
        "endpoint_url": url,
        "region_name": "us-east-1",
        "aws_access_key_id": "anyone",
        "aws_secret_access_key": "anyone",
    }
    boto3.client("s3", **anyone).create_bucket(Bucket=BUCKET)
    iam = boto3.client("iam", **anyone)
    iam.create_user(UserName="ada")
    iam.put_user_policy(
        UserName="ada", PolicyName="all", PolicyDocument=json.dumps(_ALL_OF_S3)
    )
    keys = iam.create_access_key(UserName="ada")["AccessKey"]
    # From now on, everyone must sign.
    requests.post(f"{url}/moto-api/reset-auth", data="0", timeout=10)
    return S3Server(url, keys["AccessKeyId"], keys["SecretAccessKey"])
