import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Icon from '@cloudscape-design/components/icon';
import TreeView from '@cloudscape-design/components/tree-view';
import { useMemo, useState } from 'react';
import { useText } from '../../language/language.ts';
import { isChanged, type TreeNode, treeOf, type Workspace } from './workspace.ts';

export type FileAction = 'rename' | 'delete' | 'download' | 'newHere';

interface Props {
  readonly workspace: Workspace;
  readonly open: string | undefined;
  readonly readOnly: boolean;
  readonly onOpen: (name: string) => void;
  readonly onAction: (action: FileAction, name: string) => void;
}

/** The package's files; a dot marks what is not deployed yet. */
export function FileTree({ workspace, open, readOnly, onOpen, onAction }: Props) {
  const t = useText();
  const tree = useMemo(() => treeOf(workspace.files), [workspace.files]);
  const changed = useMemo(() => new Set(workspace.files.filter(isChanged).map((file) => file.name)), [workspace.files]);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const expanded = useMemo(() => foldersOf(tree).filter((name) => !closed.has(name)), [tree, closed]);
  return (
    <TreeView<TreeNode>
      ariaLabel={t('files')}
      items={tree}
      getItemId={(node) => node.name}
      getItemChildren={(node) => node.children}
      expandedItems={expanded}
      onItemToggle={({ detail }) =>
        setClosed((before) => {
          const next = new Set(before);
          if (detail.expanded) next.delete(detail.id);
          else next.add(detail.id);
          return next;
        })
      }
      renderItem={(node) => ({
        icon: <Icon name={node.children ? 'folder' : 'file'} />,
        announcementLabel: node.label,
        content: node.children ? (
          node.label
        ) : (
          <button
            type="button"
            className={node.name === open ? 'file file-open' : 'file'}
            aria-current={node.name === open}
            onClick={() => onOpen(node.name)}
          >
            {node.label}
            {changed.has(node.name) && <span title={t('notDeployed')}> ●</span>}
          </button>
        ),
        actions: (
          <ButtonDropdown
            variant="inline-icon"
            ariaLabel={t('actionsOf', { name: node.label })}
            expandToViewport
            items={[
              ...(node.children ? [{ id: 'newHere', text: t('newFileHere'), disabled: readOnly }] : []),
              { id: 'rename', text: t('rename'), disabled: readOnly },
              ...(node.children ? [] : [{ id: 'download', text: t('download') }]),
              { id: 'delete', text: t('delete'), disabled: readOnly },
            ]}
            onItemClick={({ detail }) => onAction(detail.id as FileAction, node.name)}
          />
        ),
      })}
    />
  );
}

function foldersOf(nodes: readonly TreeNode[]): string[] {
  return nodes.flatMap((node) => (node.children ? [node.name, ...foldersOf(node.children)] : []));
}
