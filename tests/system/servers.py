"""What a house is told of the servers that it stands on, each with a place of its own there."""

from collections.abc import Mapping

import s3fs

from shared.ids import ulid


def settings_over(
    *, mongodb: str, redis: str, cache: str, elasticsearch: str | None, s3: str
) -> Mapping[str, str]:
    """A database and a bucket that nobody else has; its Redis is a house's own."""
    place = ulid().lower()
    access = {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    s3fs.S3FileSystem(
        endpoint_url=s3, key="test", secret="test", client_kwargs={"region_name": "us-east-1"}
    ).call_s3("create_bucket", Bucket=place)
    known = {
        "LOOKALIKE_CATALOGUE": f"{mongodb}/{place}",
        "LOOKALIKE_QUEUE": f"{redis}/0",
        "LOOKALIKE_CACHE": f"{cache}/1",
        "LOOKALIKE_BLOBS": f"s3://{place}/shop",
    }
    if elasticsearch is not None:
        known["LOOKALIKE_ELASTICSEARCH"] = elasticsearch
    return known | access
