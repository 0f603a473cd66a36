/** A role that a new function runs under. AWS: Lambda developer guide, "Defining Lambda function permissions". */

import { AttachRolePolicyCommand, CreateRoleCommand, type IAMClient } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { isNotImplemented } from '../aws/errors.ts';
import { newId } from '../shell/newId.ts';

const PATH = '/service-role/';
const BASIC_POLICY = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';
const LONGEST_NAME = 64;

const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});

/** Makes a role that may write logs and nothing else; resolves to its ARN. */
export async function createBasicRole(iam: IAMClient, sts: STSClient, functionName: string): Promise<string> {
  const suffix = `-role-${newId().slice(0, 8)}`;
  const RoleName = functionName.slice(0, LONGEST_NAME - suffix.length) + suffix;
  try {
    const made = await iam.send(new CreateRoleCommand({ RoleName, Path: PATH, AssumeRolePolicyDocument: TRUST }));
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: BASIC_POLICY }));
    return made.Role?.Arn ?? '';
  } catch (error) {
    // A server without IAM takes every role's name: there is nothing to make.
    if (!isNotImplemented(error)) throw error;
    const { Account } = await sts.send(new GetCallerIdentityCommand({}));
    return `arn:aws:iam::${Account}:role${PATH}${RoleName}`;
  }
}
