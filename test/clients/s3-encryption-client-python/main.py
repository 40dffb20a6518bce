"""
A program on the S3 Encryption Client for Python, with nothing of ours in it: put KEY-ARN BUCKET STAGE NAME FILE, or get KEY-ARN BUCKET STAGE
NAME…, which prints a line for each: its SHA-256, or the error.
"""

import hashlib
import sys

import boto3
from botocore.config import Config
from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.materials.kms_keyring import KmsKeyring

word, key, bucket, stage, *names = sys.argv[1:]
store = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
client = S3EncryptionClient(store, S3EncryptionClientConfig(keyring=KmsKeyring(boto3.client("kms"), key)))
context = {"app": "shop", "stage": stage}


def opened(name):
    try:
        body = client.get_object(Bucket=bucket, Key=name, EncryptionContext=context)["Body"].read()
        return hashlib.sha256(body).hexdigest()
    except Exception as error:
        return f"refused: {error}".replace("\n", " ")


if word == "put":
    name, path = names
    with open(path, "rb") as file:
        client.put_object(Bucket=bucket, Key=name, Body=file.read(), EncryptionContext=context)
else:
    for name in names:
        print(opened(name))
