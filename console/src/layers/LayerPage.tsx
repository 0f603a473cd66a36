import { DeleteLayerVersionCommand, LambdaClient, ListLayerVersionsCommand } from '@aws-sdk/client-lambda';
import ContentLayout from '@cloudscape-design/components/content-layout';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import Header from '@cloudscape-design/components/header';
import { useCallback } from 'react';
import { useParams } from 'react-router-dom';
import { useClient } from '../aws/clients.ts';
import { useLoad } from '../aws/load.ts';
import { allPages } from '../aws/pages.ts';
import { formatTime } from '../language/format.ts';
import { useLanguage, useText } from '../language/language.ts';
import { ADDRESSES } from '../shell/addresses.ts';
import { Frame } from '../shell/Frame.tsx';
import { ManagedTable } from '../shell/ManagedTable.tsx';
import { PublishLayerDialog } from './PublishLayerDialog.tsx';

export default function LayerPage() {
  const t = useText();
  const language = useLanguage();
  const lambda = useClient(LambdaClient);
  const { name = '' } = useParams();
  const load = useCallback(
    (signal: AbortSignal) =>
      allPages(async (Marker: string | undefined) => {
        const page = await lambda.send(new ListLayerVersionsCommand({ LayerName: name, Marker }));
        return { items: page.LayerVersions, next: page.NextMarker };
      }, signal),
    [lambda, name],
  );
  const loaded = useLoad(load);
  return (
    <Frame crumbs={[{ text: t('layers'), to: ADDRESSES.layers }, { text: name }]}>
      <ContentLayout
        header={
          <Header variant="h1" description={t('layerPageText')}>
            {name}
          </Header>
        }
      >
        <ManagedTable
          title={t('versions')}
          loaded={loaded}
          nameOf={(item) => String(item.Version)}
          empty={{ title: t('noVersions'), text: t('noLayerVersionsText') }}
          columns={[
            { id: 'version', header: t('version'), isRowHeader: true, cell: (item) => item.Version },
            { id: 'description', header: t('description'), cell: (item) => item.Description || '–' },
            {
              id: 'runtimes',
              header: t('compatibleRuntimes'),
              cell: (item) => item.CompatibleRuntimes?.join(', ') || '–',
            },
            { id: 'created', header: t('createdAt'), cell: (item) => formatTime(item.CreatedDate, language) },
            {
              id: 'arn',
              header: 'ARN',
              minWidth: 200,
              cell: (item) => (
                <CopyToClipboard
                  variant="inline"
                  textToCopy={item.LayerVersionArn ?? ''}
                  copyButtonAriaLabel={t('copyArn')}
                  copySuccessText={t('copied')}
                  copyErrorText={t('notCopied')}
                />
              ),
            },
          ]}
          add={{
            label: t('publishLayerVersion'),
            dialog: (close) => <PublishLayerDialog layer={name} onClose={close} onPublished={loaded.reload} />,
          }}
          remove={{
            title: (item) => t('deleteVersion', { version: item.Version ?? 0 }),
            warning: t('deleteLayerVersionText'),
            run: (item) => lambda.send(new DeleteLayerVersionCommand({ LayerName: name, VersionNumber: item.Version })),
          }}
        />
      </ContentLayout>
    </Frame>
  );
}
