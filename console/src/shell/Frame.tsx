import AppLayout from '@cloudscape-design/components/app-layout';
import BreadcrumbGroup from '@cloudscape-design/components/breadcrumb-group';
import Flashbar from '@cloudscape-design/components/flashbar';
import SideNavigation from '@cloudscape-design/components/side-navigation';
import type { ReactNode } from 'react';
import { useEffect } from 'react';
import { useLocation } from 'react-router-dom';
import { useText } from '../language/language.ts';
import { ADDRESSES, BASE } from './addresses.ts';
import { useFollow } from './follow.ts';
import { useNotices } from './notices.tsx';

export interface Crumb {
  readonly text: string;
  /** An address of the console; the last crumb has none. */
  readonly to?: string;
}

interface Props {
  readonly crumbs: readonly Crumb[];
  readonly contentType?: 'default' | 'table' | 'form';
  readonly children: ReactNode;
}

/** What every page stands in: menu, crumbs, notices. */
export function Frame({ crumbs, contentType = 'default', children }: Props) {
  const t = useText();
  const follow = useFollow();
  const { items } = useNotices();
  const { pathname } = useLocation();
  const title = crumbs.at(-1)?.text;
  useEffect(() => {
    document.title = title ? `${title} – Firefork` : 'Firefork';
  }, [title]);
  const section = [
    ADDRESSES.layers,
    ADDRESSES.logGroups,
    ADDRESSES.logInsights,
    ADDRESSES.runtimes,
    ADDRESSES.account,
  ].find((start) => pathname.startsWith(start));
  const link = (text: string, to: string) => ({ type: 'link' as const, text, href: BASE + to });
  return (
    <AppLayout
      contentType={contentType}
      toolsHide
      headerSelector="#top"
      ariaLabels={{
        navigation: t('mainMenu'),
        navigationClose: t('closeMenu'),
        navigationToggle: t('openMenu'),
        notifications: t('notices'),
      }}
      navigationWidth={220}
      navigation={
        <SideNavigation
          activeHref={BASE + (section ?? ADDRESSES.functions)}
          header={{ text: 'Lambda', href: BASE + ADDRESSES.functions }}
          onFollow={follow}
          items={[
            link(t('functions'), ADDRESSES.functions),
            link(t('layers'), ADDRESSES.layers),
            link(t('logGroups'), ADDRESSES.logGroups),
            link(t('logInsights'), ADDRESSES.logInsights),
            { type: 'divider' },
            link(t('runtimes'), ADDRESSES.runtimes),
            link(t('account'), ADDRESSES.account),
          ]}
        />
      }
      breadcrumbs={
        <BreadcrumbGroup
          ariaLabel={t('crumbs')}
          onFollow={follow}
          items={[
            { text: 'Lambda', href: BASE + ADDRESSES.functions },
            ...crumbs.map(({ text, to }) => ({ text, href: BASE + (to ?? '') })),
          ]}
        />
      }
      notifications={<Flashbar items={[...items]} stackItems={items.length > 2} />}
      content={children}
    />
  );
}
