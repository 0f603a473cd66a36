import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useText } from '../language/language.ts';
import { Frame } from '../shell/Frame.tsx';
import { RUNTIMES, supportOf } from './runtimes.ts';

const TYPES = { current: 'success', deprecated: 'warning', blocked: 'stopped' } as const;

export default function RuntimesPage() {
  const t = useText();
  return (
    <Frame contentType="table" crumbs={[{ text: t('runtimes') }]}>
      <Table
        variant="full-page"
        wrapLines
        header={
          <Header variant="awsui-h1-sticky" description={t('runtimesIntro')}>
            {t('runtimes')}
          </Header>
        }
        ariaLabels={{ tableLabel: t('runtimes') }}
        items={[...RUNTIMES]}
        columnDefinitions={[
          {
            id: 'name',
            header: t('name'),
            isRowHeader: true,
            cell: (item) => (
              <>
                {item.name}
                <Box variant="code" display="block">
                  {item.id}
                </Box>
              </>
            ),
          },
          { id: 'system', header: t('operatingSystem'), cell: (item) => item.system },
          { id: 'sdk', header: 'boto3', cell: (item) => item.sdk ?? '–' },
          {
            id: 'support',
            header: t('status'),
            cell: (item) => {
              const support = supportOf(item);
              return <StatusIndicator type={TYPES[support]}>{t(support)}</StatusIndicator>;
            },
          },
          { id: 'deprecated', header: t('deprecation'), cell: (item) => item.deprecated ?? t('notPlanned') },
          { id: 'create', header: t('blockCreate'), cell: (item) => item.blockCreate ?? t('notPlanned') },
          { id: 'update', header: t('blockUpdate'), cell: (item) => item.blockUpdate ?? t('notPlanned') },
        ]}
      />
    </Frame>
  );
}
