import {
  LambdaClient,
  ListLayersCommand,
  ListLayerVersionsCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useCallback, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { useLoad } from '../../aws/load.ts';
import { allPages } from '../../aws/pages.ts';
import { formatBytes } from '../../language/format.ts';
import { useLanguage, useText } from '../../language/language.ts';
import { ADDRESSES } from '../../shell/addresses.ts';
import { PageLink } from '../../shell/PageLink.tsx';
import { Empty } from '../../shell/Problem.tsx';
import { EditableSection } from '../configuration/EditableSection.tsx';
import { useFunction } from '../functionContext.ts';

/** `arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION` */
function partsOf(arn: string): { name: string; version: string } {
  const [name = '', version = ''] = arn.split(':').slice(6);
  return { name, version };
}

/** The layers below the code, in the order in which they are laid over each other. */
export function LayersInUse() {
  const t = useText();
  const language = useLanguage();
  const lambda = useClient(LambdaClient);
  const { name, configuration } = useFunction();
  const [arns, setArns] = useState<readonly string[]>([]);
  const used = configuration.Layers ?? [];
  const move = (index: number, by: number) =>
    setArns((before) => {
      const next = [...before];
      const [moved] = next.splice(index, 1);
      if (moved !== undefined) next.splice(index + by, 0, moved);
      return next;
    });
  return (
    <EditableSection
      title={t('layers')}
      description={t('layersInUseText')}
      onEdit={() => setArns(used.map((layer) => layer.Arn ?? ''))}
      save={() =>
        lambda.send(
          new UpdateFunctionConfigurationCommand({ FunctionName: name, Layers: arns.filter((arn) => arn !== '') }),
        )
      }
      view={
        used.length === 0 ? (
          <Empty title={t('noLayers')}>{t('noLayersUsed')}</Empty>
        ) : (
          <Table
            variant="embedded"
            ariaLabels={{ tableLabel: t('layers') }}
            items={used.map((layer, index) => ({ ...layer, order: index + 1, ...partsOf(layer.Arn ?? '') }))}
            columnDefinitions={[
              { id: 'order', header: t('order'), cell: (layer) => layer.order },
              {
                id: 'name',
                header: t('name'),
                cell: (layer) => <PageLink to={ADDRESSES.layer(layer.name)}>{layer.name}</PageLink>,
              },
              { id: 'version', header: t('version'), cell: (layer) => layer.version },
              { id: 'size', header: t('codeSize'), cell: (layer) => formatBytes(layer.CodeSize ?? 0, language) },
            ]}
          />
        )
      }
    >
      {() => (
        <SpaceBetween size="s">
          {arns.map((arn, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a layer is its place in the order
            <SpaceBetween key={index} direction="horizontal" size="xs">
              <div className="wide">
                <Input
                  value={arn}
                  ariaLabel={t('layerArn', { number: index + 1 })}
                  placeholder="arn:aws:lambda:us-east-1:000000000000:layer:name:1"
                  onChange={({ detail }) =>
                    setArns((before) => before.map((known, at) => (at === index ? detail.value : known)))
                  }
                />
              </div>
              <Button
                formAction="none"
                iconName="angle-up"
                ariaLabel={t('moveUp')}
                disabled={index === 0}
                onClick={() => move(index, -1)}
              />
              <Button
                formAction="none"
                iconName="remove"
                ariaLabel={t('remove')}
                onClick={() => setArns((before) => before.filter((_, at) => at !== index))}
              />
            </SpaceBetween>
          ))}
          {arns.length === 0 && <Box color="text-body-secondary">{t('noLayersUsed')}</Box>}
          <FormField label={t('addLayer')}>
            <LayerChoice onChoose={(arn) => setArns((before) => [...before, arn])} />
          </FormField>
          <Button formAction="none" onClick={() => setArns((before) => [...before, ''])}>
            {t('addByArn')}
          </Button>
        </SpaceBetween>
      )}
    </EditableSection>
  );
}

function LayerChoice({ onChoose }: { readonly onChoose: (arn: string) => void }) {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const load = useCallback(async () => {
    const layers = await allPages(async (Marker: string | undefined) => {
      const page = await lambda.send(new ListLayersCommand({ Marker }));
      return { items: page.Layers, next: page.NextMarker };
    });
    return Promise.all(
      layers.map(async (layer) => ({
        label: layer.LayerName ?? '',
        options: (
          (await lambda.send(new ListLayerVersionsCommand({ LayerName: layer.LayerName }))).LayerVersions ?? []
        ).map((version) => ({
          value: version.LayerVersionArn ?? '',
          label: `${layer.LayerName}:${version.Version}`,
          description: version.Description,
        })),
      })),
    );
  }, [lambda]);
  const { data, loading } = useLoad(load);
  return (
    <Select
      selectedOption={null}
      placeholder={t('chooseLayer')}
      options={data ?? []}
      statusType={loading ? 'loading' : 'finished'}
      loadingText={t('loading')}
      empty={t('noLayersYet')}
      filteringType="auto"
      filteringAriaLabel={t('layers')}
      onChange={({ detail }) => detail.selectedOption.value && onChoose(detail.selectedOption.value)}
    />
  );
}
