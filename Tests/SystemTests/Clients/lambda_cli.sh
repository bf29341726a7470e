#!/usr/bin/env bash
# A dozen operations of the Lambda API with the stock AWS CLI, as a person would type them.
# usage: lambda_cli.sh URL; the keys are in the environment
set -euo pipefail
export AWS_ENDPOINT_URL=$1 AWS_DEFAULT_REGION=us-east-1 AWS_PAGER=
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
printf 'name: any\n' >function.yaml
python3 -m zipfile -c code.zip function.yaml
printf '{"a": 1}' >payload

say() { printf '%s: passed\n' "$1"; }

aws sts get-caller-identity --query Account --output text | grep -qx 000000000000 && say get-caller-identity
aws lambda create-function --function-name typed --runtime provided.thaw --handler any --zip-file fileb://code.zip \
    --role arn:aws:iam::000000000000:role/any --query State --output text | grep -qx Pending && say create-function
aws lambda wait function-active-v2 --function-name typed && say wait
aws lambda invoke --function-name typed --payload file://payload out --query StatusCode --output text | grep -qx 200
grep -qx '{"a": 1}' out && say invoke
aws lambda get-function --function-name typed --query Configuration.State --output text | grep -qx Active && say get-function
aws lambda list-functions --query 'Functions[].FunctionName' --output text | grep -qw typed && say list-functions
aws lambda update-function-configuration --function-name typed --timeout 9 --query Timeout --output text | grep -qx 9 &&
    say update-function-configuration
aws lambda wait function-updated-v2 --function-name typed
aws lambda publish-version --function-name typed --query Version --output text | grep -qx 1 && say publish-version
aws lambda create-alias --function-name typed --name live --function-version 1 --query Name --output text | grep -qx live &&
    say create-alias
aws lambda invoke --function-name typed --qualifier live --payload file://payload out --query ExecutedVersion --output text |
    grep -qx 1 && say invoke-alias
aws lambda put-function-concurrency --function-name typed --reserved-concurrent-executions 5 --output text | grep -qx 5 &&
    say put-function-concurrency
aws lambda tag-resource --resource arn:aws:lambda:us-east-1:000000000000:function:typed --tags a=b && say tag-resource
head -c 20000000 /dev/urandom >ballast
python3 -m zipfile -c large.zip function.yaml ballast
aws s3 cp --quiet large.zip s3://uploads/typed/large.zip && say s3-cp
aws lambda update-function-code --function-name typed --s3-bucket uploads --s3-key typed/large.zip --query FunctionName \
    --output text | grep -qx typed
aws lambda wait function-updated-v2 --function-name typed
curl --silent --fail "$(aws lambda get-function --function-name typed --query Code.Location --output text)" | cmp - large.zip &&
    say code-location
aws lambda delete-function --function-name typed && say delete-function
