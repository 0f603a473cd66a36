import { IAMClient } from '@aws-sdk/client-iam';
import { CreateFunctionCommand, LambdaClient, type Runtime } from '@aws-sdk/client-lambda';
import Button from '@cloudscape-design/components/button';
import Cards from '@cloudscape-design/components/cards';
import Container from '@cloudscape-design/components/container';
import FileUpload from '@cloudscape-design/components/file-upload';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tiles from '@cloudscape-design/components/tiles';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { newEntry, writeArchive } from '../archive/archive.ts';
import { useClient } from '../aws/clients.ts';
import { fieldErrors } from '../aws/fieldErrors.ts';
import { useAction } from '../aws/load.ts';
import { useText } from '../language/language.ts';
import { DEFAULT_RUNTIME } from '../runtimes/runtimes.ts';
import { ADDRESSES } from '../shell/addresses.ts';
import { Frame } from '../shell/Frame.tsx';
import { useTell } from '../shell/notices.tsx';
import { Problem } from '../shell/Problem.tsx';
import { uploadTexts } from '../shell/uploadTexts.ts';
import { BLUEPRINTS, FILE, HANDLER, STARTER } from './blueprints.ts';
import { withBasicRole } from './executionRole.ts';
import { RoleInput } from './RoleInput.tsx';
import { RuntimeSelect } from './RuntimeSelect.tsx';

type Method = 'scratch' | 'blueprint' | 'zip';

const HINTS = [
  ['name', /functionname|ResourceConflict/i],
  ['runtime', /runtime/i],
  ['architecture', /architecture/i],
  ['role', /role/i],
  ['handler', /handler/i],
  ['code', /zip|code|unzipped/i],
] as const;

export default function CreateFunctionPage() {
  const t = useText();
  const navigate = useNavigate();
  const tell = useTell();
  const lambda = useClient(LambdaClient);
  const iam = useClient(IAMClient);
  const [method, setMethod] = useState<Method>('scratch');
  const [name, setName] = useState('');
  const [runtime, setRuntime] = useState(DEFAULT_RUNTIME);
  const [architecture, setArchitecture] = useState<'x86_64' | 'arm64'>('x86_64');
  const [newRole, setNewRole] = useState(true);
  const [role, setRole] = useState('');
  const [blueprint, setBlueprint] = useState(BLUEPRINTS[0]);
  const [zip, setZip] = useState<File | undefined>();
  const [handler, setHandler] = useState(HANDLER);
  const { busy, error, run } = useAction();

  const errors = fieldErrors(error, HINTS);

  const code = async () => {
    if (method === 'zip') return zip && new Uint8Array(await zip.arrayBuffer());
    const text = method === 'blueprint' ? blueprint?.code : STARTER;
    return writeArchive([newEntry(FILE, new TextEncoder().encode(text))]);
  };

  const createUnder = async (arn: string) =>
    lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Runtime: runtime as Runtime,
        Architectures: [architecture],
        Handler: method === 'zip' ? handler : HANDLER,
        Role: arn,
        Code: { ZipFile: await code() },
      }),
    );

  const create = async () => {
    const done = await run(() => (newRole ? withBasicRole(iam, name, createUnder) : createUnder(role)));
    if (!done) return;
    tell('success', t('created', { name }));
    const event = method === 'blueprint' ? `?template=${blueprint?.event}` : '';
    navigate(ADDRESSES.function(name) + event);
  };

  return (
    <Frame
      contentType="form"
      crumbs={[{ text: t('functions'), to: ADDRESSES.functions }, { text: t('createFunction') }]}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Form
          header={<Header variant="h1">{t('createFunction')}</Header>}
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" formAction="none" onClick={() => navigate(ADDRESSES.functions)}>
                {t('cancel')}
              </Button>
              <Button variant="primary" loading={busy} disabled={method === 'zip' && !zip}>
                {t('createFunction')}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            <Tiles
              ariaLabel={t('beginWith')}
              value={method}
              onChange={({ detail }) => setMethod(detail.value as Method)}
              columns={3}
              items={[
                { value: 'scratch', label: t('fromScratch'), description: t('fromScratchText') },
                { value: 'blueprint', label: t('fromBlueprint'), description: t('fromBlueprintText') },
                { value: 'zip', label: t('fromZip'), description: t('fromZipText') },
              ]}
            />
            <Container header={<Header variant="h2">{t('basics')}</Header>}>
              <SpaceBetween size="l">
                <FormField label={t('functionName')} description={t('functionNameHint')} errorText={errors.of('name')}>
                  <Input
                    value={name}
                    onChange={({ detail }) => setName(detail.value)}
                    placeholder="myFunctionName"
                    autoFocus
                    spellcheck={false}
                    autoComplete={false}
                  />
                </FormField>
                <FormField label={t('runtime')} description={t('runtimeHint')} errorText={errors.of('runtime')}>
                  <RuntimeSelect value={runtime} onChange={setRuntime} />
                </FormField>
                <FormField label={t('architecture')} errorText={errors.of('architecture')}>
                  <RadioGroup
                    value={architecture}
                    onChange={({ detail }) => setArchitecture(detail.value as 'x86_64' | 'arm64')}
                    direction="horizontal"
                    items={[
                      { value: 'x86_64', label: 'x86_64' },
                      { value: 'arm64', label: 'arm64' },
                    ]}
                  />
                </FormField>
                <FormField
                  label={t('executionRole')}
                  description={t('executionRoleHint')}
                  errorText={newRole ? errors.of('role') : undefined}
                >
                  <RadioGroup
                    value={newRole ? 'new' : 'existing'}
                    onChange={({ detail }) => setNewRole(detail.value === 'new')}
                    items={[
                      { value: 'new', label: t('roleNew') },
                      { value: 'existing', label: t('roleExisting') },
                    ]}
                  />
                </FormField>
                {!newRole && (
                  <FormField label={t('roleArn')} errorText={errors.of('role')}>
                    <RoleInput value={role} onChange={setRole} />
                  </FormField>
                )}
              </SpaceBetween>
            </Container>
            {method === 'blueprint' && (
              <Cards
                header={<Header variant="h2">{t('blueprints')}</Header>}
                items={[...BLUEPRINTS]}
                trackBy="id"
                selectionType="single"
                selectedItems={blueprint ? [blueprint] : []}
                onSelectionChange={({ detail }) => setBlueprint(detail.selectedItems[0])}
                entireCardClickable
                cardsPerRow={[{ cards: 1 }, { minWidth: 500, cards: 3 }]}
                ariaLabels={{
                  selectionGroupLabel: t('blueprints'),
                  itemSelectionLabel: (_, item) => t(item.title),
                }}
                cardDefinition={{
                  header: (item) => t(item.title),
                  sections: [{ id: 'text', content: (item) => t(item.description) }],
                }}
              />
            )}
            {method === 'blueprint' && blueprint && (
              <Container header={<Header variant="h2">{FILE}</Header>}>
                <pre className="mono source">{blueprint.code}</pre>
              </Container>
            )}
            {method === 'zip' && (
              <Container header={<Header variant="h2">{t('package')}</Header>}>
                <SpaceBetween size="l">
                  <FormField label={t('zipFile')} description={t('zipFileHint')} errorText={errors.of('code')}>
                    <FileUpload
                      value={zip ? [zip] : []}
                      onChange={({ detail }) => setZip(detail.value[0])}
                      accept=".zip"
                      showFileSize
                      showFileLastModified
                      i18nStrings={uploadTexts(t)}
                    />
                  </FormField>
                  <FormField label={t('handler')} description={t('handlerHint')} errorText={errors.of('handler')}>
                    <Input value={handler} onChange={({ detail }) => setHandler(detail.value)} spellcheck={false} />
                  </FormField>
                </SpaceBetween>
              </Container>
            )}
            <Problem error={errors.rest} />
          </SpaceBetween>
        </Form>
      </form>
    </Frame>
  );
}
