import { DeleteFunctionCommand, type FunctionConfiguration, LambdaClient } from '@aws-sdk/client-lambda';
import { useClient } from '../aws/clients.ts';
import { useText } from '../language/language.ts';
import { ConfirmDialog } from '../shell/ConfirmDialog.tsx';
import { useTell } from '../shell/notices.tsx';

interface Props {
  readonly functions: readonly FunctionConfiguration[];
  readonly onDeleted: () => void;
  readonly onClose: () => void;
}

/** Deletes one function or several, after the word was typed. */
export default function DeleteFunctions({ functions, onDeleted, onClose }: Props) {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const tell = useTell();
  const names = functions.map((item) => item.FunctionName ?? '');
  const title =
    names.length === 1 ? t('deleteOne', { name: names[0] ?? '' }) : t('deleteMany', { count: names.length });
  return (
    <ConfirmDialog
      title={title}
      action={t('delete')}
      word={t('deleteWord')}
      onClose={onClose}
      onConfirm={async () => {
        for (const FunctionName of names) await lambda.send(new DeleteFunctionCommand({ FunctionName }));
        tell(
          'success',
          names.length === 1 ? t('deletedOne', { name: names[0] ?? '' }) : t('deletedMany', { count: names.length }),
        );
        onDeleted();
      }}
    >
      {t('deleteFunctionWarning')}
      {names.length > 1 && (
        <ul>
          {names.slice(0, 10).map((name) => (
            <li key={name}>{name}</li>
          ))}
          {names.length > 10 && <li>…</li>}
        </ul>
      )}
    </ConfirmDialog>
  );
}
