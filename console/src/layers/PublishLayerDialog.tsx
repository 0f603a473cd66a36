import { type Architecture, LambdaClient, PublishLayerVersionCommand, type Runtime } from '@aws-sdk/client-lambda';
import FileUpload from '@cloudscape-design/components/file-upload';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import { useState } from 'react';
import { useClient } from '../aws/clients.ts';
import { useText } from '../language/language.ts';
import { RUNTIMES } from '../runtimes/runtimes.ts';
import { FormDialog } from '../shell/FormDialog.tsx';
import { useTell } from '../shell/notices.tsx';
import { uploadTexts } from '../shell/uploadTexts.ts';

const HINTS = [
  ['name', /layername/i],
  ['runtimes', /runtime/i],
  ['architectures', /architecture/i],
  ['description', /description/i],
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
  const option = (value: string) => ({ value, label: value });
  const publish = async () => {
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
  };
  return (
    <FormDialog
      title={layer ? t('publishLayerVersion') : t('createLayer')}
      action={t('publish')}
      disabled={!zip || !name}
      submit={publish}
      onClose={onClose}
      onDone={onPublished}
      hints={HINTS}
    >
      {(errorOf) => (
        <>
          <FormField label={t('name')} errorText={errorOf('name')}>
            <Input
              value={name}
              disabled={layer !== undefined}
              autoFocus={layer === undefined}
              onChange={({ detail }) => setName(detail.value)}
            />
          </FormField>
          <FormField label={t('description')} errorText={errorOf('description')}>
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
        </>
      )}
    </FormDialog>
  );
}
