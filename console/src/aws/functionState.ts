/** Waiting for a function to become what was asked for. AWS: Lambda developer guide, "Lambda function states". */

import { type FunctionConfiguration, GetFunctionConfigurationCommand, type LambdaClient } from '@aws-sdk/client-lambda';

const FIRST_PAUSE_MS = 60;
const LONGEST_PAUSE_MS = 2000;

/** Resolves when the function is active and its last update is done. Throws with the reason if either failed. */
export async function waitUntilReady(lambda: LambdaClient, name: string): Promise<FunctionConfiguration> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.6, LONGEST_PAUSE_MS)) {
    const configuration = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    if (configuration.State === 'Failed') throw new Error(configuration.StateReason ?? 'Failed');
    if (configuration.LastUpdateStatus === 'Failed') {
      throw new Error(configuration.LastUpdateStatusReason ?? 'Failed');
    }
    if (configuration.State !== 'Pending' && configuration.LastUpdateStatus !== 'InProgress') return configuration;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
