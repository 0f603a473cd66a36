import { type Architecture, LambdaClient, PublishLayerVersionCommand, type Runtime } from '@aws-sdk/client-lambda';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FileUpload from '@cloudscape-design/components/file-upload';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import Multiselect from '@cloudscape-design/components/multiselect';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useClient } from '../aws/clients.ts';
import { messageOf } from '../aws/errors.ts';
import { useAction } from '../aws/load.ts';
import { fieldOf } from '../functions/fieldErrors.ts';
import { useText } from '../language/language.ts';
import { RUNTIMES } from '../runtimes/runtimes.ts';
import { useTell } from '../shell/notices.tsx';
import { Problem } from '../shell/Problem.tsx';
import { uploadTexts } from '../shell/uploadTexts.ts';

const FIELDS = [
  ['name', /layername/i],
  ['runtimes', /runtime/i],
  ['architectures', /architecture/i],
  ['zip', /zip|content|unzipped/i],
] as const;

interface Props {
  /** A further version of this layer; absent for a new layer. */
  readonly layer?: string;
  readonly onClose: () => void;
  readonly onPublished: () => void;
}

export function PublishLayerDialog({ layer, onClose, onPublished }: Props) {
  const t = useText();
  const tell = useTell();
  const lambda = useClient(LambdaClient);
  const [name, setName] = useState(layer ?? '');
  const [description, setDescription] = useState('');
  const [zip, setZip] = useState<File | undefined>();
  const [runtimes, setRuntimes] = useState<readonly string[]>([]);
  const [architectures, setArchitectures] = useState<readonly string[]>([]);
  const { busy, error, run } = useAction();
  const field = fieldOf(error, FIELDS);
  const errorOf = (wanted: string) => (field === wanted ? messageOf(error) : undefined);
  const option = (value: string) => ({ value, label: value });
  const publish = async () => {
    const done = await run(async () => {
      const { LayerVersionArn } = await lambda.send(
        new PublishLayerVersionCommand({
          LayerName: name,
          Description: description || undefined,
          Content: { ZipFile: zip && new Uint8Array(await zip.arrayBuffer()) },
          CompatibleRuntimes: runtimes.length > 0 ? (runtimes as Runtime[]) : undefined,
          CompatibleArchitectures: architectures.length > 0 ? (architectures as Architecture[]) : undefined,
        }),
      );
      tell('success', t('layerPublished', { arn: LayerVersionArn ?? '' }));
    });
    if (!done) return;
    onClose();
    onPublished();
  };
  return (
    <Modal
      visible
      header={layer ? t('publishLayerVersion') : t('createLayer')}
      closeAriaLabel={t('close')}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button variant="primary" loading={busy} disabled={!zip || !name} onClick={publish}>
              {t('publish')}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <FormField label={t('name')} errorText={errorOf('name')}>
          <Input value={name} disabled={layer !== undefined} onChange={({ detail }) => setName(detail.value)} />
        </FormField>
        <FormField label={t('description')}>
          <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
        </FormField>
        <FormField label={t('zipFile')} description={t('layerZipHint')} errorText={errorOf('zip')}>
          <FileUpload
            value={zip ? [zip] : []}
            onChange={({ detail }) => setZip(detail.value[0])}
            accept=".zip"
            showFileSize
            i18nStrings={uploadTexts(t)}
          />
        </FormField>
        <FormField label={t('compatibleRuntimes')} errorText={errorOf('runtimes')}>
          <Multiselect
            selectedOptions={runtimes.map(option)}
            options={RUNTIMES.map(({ id }) => option(id))}
            onChange={({ detail }) => setRuntimes(detail.selectedOptions.map(({ value }) => value ?? ''))}
            placeholder={t('any')}
          />
        </FormField>
        <FormField label={t('compatibleArchitectures')} errorText={errorOf('architectures')}>
          <Multiselect
            selectedOptions={architectures.map(option)}
            options={['x86_64', 'arm64'].map(option)}
            onChange={({ detail }) => setArchitectures(detail.selectedOptions.map(({ value }) => value ?? ''))}
            placeholder={t('any')}
          />
        </FormField>
        {field === undefined && <Problem error={error} />}
      </SpaceBetween>
    </Modal>
  );
}
