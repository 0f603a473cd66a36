import {
  CloudWatchLogsClient,
  DeleteRetentionPolicyCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  PutRetentionPolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useCallback, useMemo } from 'react';
import { useParams, useSearchParams } from 'react-router-dom';
import { useClient } from '../aws/clients.ts';
import { isMissing } from '../aws/errors.ts';
import { useAction, useLoad } from '../aws/load.ts';
import { allPages } from '../aws/pages.ts';
import { formatBytes, formatTime } from '../language/format.ts';
import { useLanguage, useText } from '../language/language.ts';
import { ADDRESSES, BASE } from '../shell/addresses.ts';
import { Frame } from '../shell/Frame.tsx';
import { useFollow } from '../shell/follow.ts';
import { Empty, Problem } from '../shell/Problem.tsx';
import { LogViewer } from './LogViewer.tsx';

/** What PutRetentionPolicy takes, in days; 0 keeps everything. */
const RETENTIONS = [
  0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export default function LogGroupPage() {
  const t = useText();
  const language = useLanguage();
  const logs = useClient(CloudWatchLogsClient);
  const { name = '' } = useParams();
  const [search, setSearch] = useSearchParams();
  const stream = search.get('stream') ?? undefined;
  const pattern = search.get('pattern');
  const focus = useMemo(() => (pattern === null ? undefined : { pattern }), [pattern]);
  const follow = useFollow();
  const changing = useAction();
  const load = useCallback(
    async (signal: AbortSignal) => {
      const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
      const group = logGroups?.find((known) => known.logGroupName === name);
      const streams = await allPages(async (nextToken: string | undefined) => {
        const page = await logs
          .send(
            new DescribeLogStreamsCommand({
              logGroupName: name,
              orderBy: 'LastEventTime',
              descending: true,
              nextToken,
            }),
          )
          .catch((error: unknown) => {
            if (isMissing(error)) return { logStreams: [], nextToken: undefined };
            throw error;
          });
        return { items: page.logStreams, next: page.nextToken };
      }, signal);
      return { group, streams };
    },
    [logs, name],
  );
  const { data, error, loading, reload } = useLoad(load);
  const retention = (days: number) => ({
    value: String(days),
    label: days ? t('days', { count: days }) : t('retentionNever'),
  });
  return (
    <Frame crumbs={[{ text: t('logGroups'), to: ADDRESSES.logGroups }, { text: name }]}>
      <ContentLayout
        header={
          <Header
            variant="h1"
            actions={
              <Button href={BASE + ADDRESSES.logInsightsOf(name)} onFollow={follow}>
                {t('queryLogs')}
              </Button>
            }
          >
            {name}
          </Header>
        }
      >
        <SpaceBetween size="l">
          <Problem error={error} retry={reload} />
          {data?.group && (
            <Container header={<Header variant="h2">{t('details')}</Header>}>
              <SpaceBetween size="m">
                <KeyValuePairs
                  columns={3}
                  items={[
                    { label: t('stored'), value: formatBytes(data.group.storedBytes ?? 0, language) },
                    { label: t('createdAt'), value: formatTime(data.group.creationTime, language) },
                    { label: 'ARN', value: <Box variant="code">{data.group.logGroupArn}</Box> },
                  ]}
                />
                <FormField label={t('retention')} description={t('retentionText')}>
                  <Select
                    selectedOption={retention(data.group.retentionInDays ?? 0)}
                    options={RETENTIONS.map(retention)}
                    onChange={async ({ detail }) => {
                      const retentionInDays = Number(detail.selectedOption.value);
                      await changing.run(() =>
                        retentionInDays
                          ? logs.send(new PutRetentionPolicyCommand({ logGroupName: name, retentionInDays }))
                          : logs.send(new DeleteRetentionPolicyCommand({ logGroupName: name })),
                      );
                      reload();
                    }}
                  />
                </FormField>
                <Problem error={changing.error} />
              </SpaceBetween>
            </Container>
          )}
          <LogViewer group={name} stream={stream} focus={focus} />
          <Table
            header={
              <Header
                variant="h2"
                counter={data && `(${data.streams.length})`}
                actions={stream && <Button onClick={() => setSearch({})}>{t('allStreams')}</Button>}
              >
                {t('logStreams')}
              </Header>
            }
            ariaLabels={{ tableLabel: t('logStreams') }}
            loading={loading && data === undefined}
            loadingText={t('loading')}
            items={(data?.streams ?? []).slice(0, 100)}
            empty={<Empty title={t('noStreams')}>{t('noLogGroupText')}</Empty>}
            columnDefinitions={[
              {
                id: 'name',
                header: t('logStream'),
                isRowHeader: true,
                cell: (item) => (
                  <Button variant="inline-link" onClick={() => setSearch({ stream: item.logStreamName ?? '' })}>
                    {item.logStreamName}
                  </Button>
                ),
              },
              { id: 'last', header: t('lastEvent'), cell: (item) => formatTime(item.lastEventTimestamp, language) },
            ]}
          />
        </SpaceBetween>
      </ContentLayout>
    </Frame>
  );
}
