import {
  type DestinationConfig,
  GetFunctionEventInvokeConfigCommand,
  LambdaClient,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda';
import { useCallback } from 'react';
import { useClient } from '../../aws/clients.ts';
import { isMissing } from '../../aws/errors.ts';
import { useLoad } from '../../aws/load.ts';
import { useFunction } from '../functionContext.ts';

interface Changes {
  readonly MaximumEventAgeInSeconds?: number;
  readonly MaximumRetryAttempts?: number;
  readonly DestinationConfig?: DestinationConfig;
}

/** What happens to asynchronous events; `data` is null where nothing was ever set. */
export function useEventInvokeConfig() {
  const lambda = useClient(LambdaClient);
  const { name, qualifier } = useFunction();
  const load = useCallback(async () => {
    try {
      return await lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName: name, Qualifier: qualifier }));
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }, [lambda, name, qualifier]);
  const { data, error, reload } = useLoad(load);
  const save = async (changes: Changes): Promise<void> => {
    const asked = { FunctionName: name, Qualifier: qualifier, ...changes };
    // An update leaves what it does not name, but there has to be something to update.
    if (data) await lambda.send(new UpdateFunctionEventInvokeConfigCommand(asked));
    else await lambda.send(new PutFunctionEventInvokeConfigCommand(asked));
  };
  return { data, error, reload, save };
}
