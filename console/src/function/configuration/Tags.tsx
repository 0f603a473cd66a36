import { LambdaClient, ListTagsCommand, TagResourceCommand, UntagResourceCommand } from '@aws-sdk/client-lambda';
import TagEditor, { type TagEditorProps } from '@cloudscape-design/components/tag-editor';
import { useCallback, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { useLoad } from '../../aws/load.ts';
import { useText } from '../../language/language.ts';
import { Empty, Problem } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';
import { EditableSection } from './EditableSection.tsx';
import { PairsTable } from './PairsTable.tsx';

const MOST_TAGS = 50;

export function Tags() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { configuration } = useFunction();
  // Tags belong to the function, not to one of its versions.
  const arn = configuration.FunctionArn?.split(':').slice(0, 7).join(':');
  const load = useCallback(
    async () => (await lambda.send(new ListTagsCommand({ Resource: arn }))).Tags ?? {},
    [lambda, arn],
  );
  const { data, error, reload } = useLoad(load);
  const [tags, setTags] = useState<readonly TagEditorProps.Tag[]>([]);
  const [valid, setValid] = useState(true);
  const known = Object.entries(data ?? {});
  const save = async () => {
    if (!valid) throw new Error(t('tagsInvalid'));
    const gone = tags.filter((tag) => tag.existing && tag.markedForRemoval).map((tag) => tag.key);
    const set = tags.filter((tag) => !tag.markedForRemoval);
    if (gone.length > 0) await lambda.send(new UntagResourceCommand({ Resource: arn, TagKeys: gone }));
    if (set.length > 0) {
      const Tags = Object.fromEntries(set.map((tag) => [tag.key, tag.value]));
      await lambda.send(new TagResourceCommand({ Resource: arn, Tags }));
    }
  };
  return (
    <EditableSection
      title={t('tags')}
      view={
        error !== undefined ? (
          <Problem error={error} retry={reload} />
        ) : known.length > 0 ? (
          <PairsTable label={t('tags')} pairs={known} />
        ) : (
          <Empty title={t('noTags')}>{t('noTagsText')}</Empty>
        )
      }
      onEdit={() => setTags(known.map(([key, value]) => ({ key, value, existing: true })))}
      save={save}
      onSaved={reload}
    >
      {() => (
        <TagEditor
          tags={tags}
          tagLimit={MOST_TAGS}
          onChange={({ detail }) => {
            setTags(detail.tags);
            setValid(detail.valid);
          }}
        />
      )}
    </EditableSection>
  );
}
