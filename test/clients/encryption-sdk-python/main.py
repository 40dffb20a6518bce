"""A program on the AWS Encryption SDK for Python, with nothing of ours in it: encrypt KEY-ARN TEXT OUT, or decrypt KEY-ARN IN…, a line for each."""

import sys

import aws_encryption_sdk
import boto3
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsKeyringInput
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError

word, key, *files = sys.argv[1:]
client = aws_encryption_sdk.EncryptionSDKClient()
providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
keyring = providers.create_aws_kms_keyring(
    input=CreateAwsKmsKeyringInput(kms_key_id=key, kms_client=boto3.client("kms"))
)


def opened(path):
    with open(path, "rb") as file:
        message = file.read()
    try:
        return client.decrypt(source=message, keyring=keyring)[0].decode()
    except AWSEncryptionSDKClientError as error:
        return f"refused: {error.args!r}".replace("\n", " ")


if word == "encrypt":
    text, output = files
    context = {"app": "shop", "stage": "live"}
    with open(output, "wb") as file:
        file.write(client.encrypt(source=text.encode(), keyring=keyring, encryption_context=context)[0])
else:
    for path in files:
        print(opened(path))
