import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useCallback } from 'react';
import { useClient } from '../aws/clients.ts';
import { useLoad } from '../aws/load.ts';
import { formatBytes, formatTime } from '../language/format.ts';
import { useLanguage, useText } from '../language/language.ts';
import { useSession } from '../session/sessionHooks.ts';
import { Frame } from '../shell/Frame.tsx';
import { Problem } from '../shell/Problem.tsx';

/** Who is signed in, what the account uses, what its limits are. */
export default function AccountPage() {
  const t = useText();
  const language = useLanguage();
  const session = useSession();
  const lambda = useClient(LambdaClient);
  const sts = useClient(STSClient);
  const load = useCallback(async () => {
    const [settings, caller] = await Promise.all([
      lambda.send(new GetAccountSettingsCommand({})),
      sts.send(new GetCallerIdentityCommand({})),
    ]);
    return { ...settings, caller };
  }, [lambda, sts]);
  const { data, error, reload } = useLoad(load);
  const limit = data?.AccountLimit;
  const use = data?.AccountUsage;
  const size = (bytes: number | undefined) => formatBytes(bytes ?? 0, language);
  const share = limit?.TotalCodeSize ? ((use?.TotalCodeSize ?? 0) / limit.TotalCodeSize) * 100 : 0;
  return (
    <Frame crumbs={[{ text: t('account') }]}>
      <ContentLayout header={<Header variant="h1">{t('account')}</Header>}>
        <SpaceBetween size="l">
          <Problem error={error} retry={reload} />
          {data && (
            <>
              <Container header={<Header variant="h2">{t('signedInAs')}</Header>}>
                <KeyValuePairs
                  columns={3}
                  items={[
                    { label: t('accountId'), value: data.caller.Account },
                    { label: 'ARN', value: <Box variant="code">{data.caller.Arn}</Box> },
                    {
                      label: t('sessionEnds'),
                      value: session?.expiresAt ? formatTime(session.expiresAt, language) : t('withTab'),
                    },
                  ]}
                />
              </Container>
              <Container header={<Header variant="h2">{t('use')}</Header>}>
                <KeyValuePairs
                  columns={2}
                  items={[
                    { label: t('functions'), value: (use?.FunctionCount ?? 0).toLocaleString(language) },
                    {
                      label: t('codeStorage'),
                      value: (
                        <ProgressBar
                          ariaLabel={t('codeStorage')}
                          value={share}
                          additionalInfo={t('ofLimit', {
                            used: size(use?.TotalCodeSize),
                            limit: size(limit?.TotalCodeSize),
                          })}
                        />
                      ),
                    },
                  ]}
                />
              </Container>
              <Container header={<Header variant="h2">{t('limits')}</Header>}>
                <KeyValuePairs
                  columns={2}
                  items={[
                    { label: t('concurrentExecutions'), value: limit?.ConcurrentExecutions?.toLocaleString(language) },
                    { label: t('unreserved'), value: limit?.UnreservedConcurrentExecutions?.toLocaleString(language) },
                    { label: t('zippedLimit'), value: size(limit?.CodeSizeZipped) },
                    { label: t('unzippedLimit'), value: size(limit?.CodeSizeUnzipped) },
                  ]}
                />
              </Container>
            </>
          )}
        </SpaceBetween>
      </ContentLayout>
    </Frame>
  );
}
