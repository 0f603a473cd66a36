/** A role that a new function runs under. AWS: Lambda developer guide, "Defining Lambda function permissions". */

import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DetachRolePolicyCommand,
  type IAMClient,
} from '@aws-sdk/client-iam';
import { newId } from '../shell/newId.ts';

const PATH = '/service-role/';
const PolicyArn = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';
const LONGEST_NAME = 64;
/** A function's name that IAM would refuse is refused by Lambda as well, and about its own field. */
const NOT_IN_ROLE_NAMES = /[^\w+=,.@-]/g;

const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});

/** Makes a role that may write logs and nothing else, for `create`; takes it away again if that fails. */
export async function withBasicRole(
  iam: IAMClient,
  functionName: string,
  create: (arn: string) => Promise<unknown>,
): Promise<void> {
  const suffix = `-role-${newId().slice(0, 8)}`;
  const RoleName = functionName.replace(NOT_IN_ROLE_NAMES, '-').slice(0, LONGEST_NAME - suffix.length) + suffix;
  const made = await iam.send(new CreateRoleCommand({ RoleName, Path: PATH, AssumeRolePolicyDocument: TRUST }));
  try {
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    await create(made.Role?.Arn ?? '');
  } catch (error) {
    await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
    await iam.send(new DeleteRoleCommand({ RoleName }));
    throw error;
  }
}
