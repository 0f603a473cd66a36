import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { type ReactNode, useState } from 'react';
import type { Loaded } from '../aws/load.ts';
import { useText } from '../language/language.ts';
import { ConfirmDialog } from './ConfirmDialog.tsx';
import { Empty, Problem } from './Problem.tsx';

interface Removal<T> {
  readonly title: (item: T) => string;
  readonly warning: string;
  readonly run: (item: T) => Promise<unknown>;
}

interface Props<T> {
  readonly title: string;
  readonly description?: string;
  readonly loaded: Loaded<readonly T[]>;
  readonly columns: readonly TableProps.ColumnDefinition<T>[];
  /** What tells an item from the others: a name, a number, an ARN. */
  readonly nameOf: (item: T) => string;
  readonly empty: { readonly title: string; readonly text: string };
  /** Nothing can be changed where it is missing: a version is only shown. */
  readonly add?: { readonly label: string; readonly dialog: (close: () => void) => ReactNode };
  readonly edit?: (item: T, close: () => void) => ReactNode;
  readonly remove?: Removal<T>;
  /** An error of something else that the rows offer. */
  readonly error?: unknown;
}

type Open<T> = { readonly kind: 'edit' | 'remove'; readonly item: T } | { readonly kind: 'add' };

/** A list of things that are added, edited and removed, each in a dialog of its own. */
export function ManagedTable<T>(props: Props<T>) {
  const t = useText();
  const [open, setOpen] = useState<Open<T> | null>(null);
  const { data, error, loading, reload } = props.loaded;
  const { add, edit, remove, nameOf } = props;
  const close = () => setOpen(null);
  const addButton = add && <Button onClick={() => setOpen({ kind: 'add' })}>{add.label}</Button>;
  const actions: TableProps.ColumnDefinition<T> = {
    id: 'actions',
    header: t('actions'),
    cell: (item) => (
      <SpaceBetween direction="horizontal" size="s">
        {edit && (
          <Button
            variant="inline-link"
            ariaLabel={t('editThis', { title: nameOf(item) })}
            onClick={() => setOpen({ kind: 'edit', item })}
          >
            {t('edit')}
          </Button>
        )}
        {remove && (
          <Button
            variant="inline-link"
            ariaLabel={remove.title(item)}
            onClick={() => setOpen({ kind: 'remove', item })}
          >
            {t('delete')}
          </Button>
        )}
      </SpaceBetween>
    ),
  };
  return (
    <SpaceBetween size="l">
      <Problem error={error ?? props.error} retry={error === undefined ? undefined : reload} />
      <Table
        wrapLines
        header={
          <Header
            variant="h2"
            counter={data && `(${data.length})`}
            description={props.description}
            actions={data && data.length > 0 && addButton}
          >
            {props.title}
          </Header>
        }
        ariaLabels={{ tableLabel: props.title }}
        loading={loading && data === undefined}
        loadingText={t('loading')}
        items={data ?? []}
        trackBy={nameOf}
        empty={
          <Empty title={props.empty.title} action={addButton}>
            {props.empty.text}
          </Empty>
        }
        columnDefinitions={edit || remove ? [...props.columns, actions] : props.columns}
      />
      {open?.kind === 'add' && add?.dialog(close)}
      {open?.kind === 'edit' && edit?.(open.item, close)}
      {open?.kind === 'remove' && remove && (
        <ConfirmDialog
          title={remove.title(open.item)}
          action={t('delete')}
          onClose={close}
          onConfirm={async () => {
            await remove.run(open.item);
            reload();
          }}
        >
          {remove.warning}
        </ConfirmDialog>
      )}
    </SpaceBetween>
  );
}
