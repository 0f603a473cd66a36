import TopNavigation from '@cloudscape-design/components/top-navigation';
import { useNavigate } from 'react-router-dom';
import { changeRegion, REGIONS, useRegion } from '../aws/region.ts';
import { changeLanguage, type Language, useLanguage, useText } from '../language/language.ts';
import { signOut } from '../session/session.ts';
import { useSession } from '../session/sessionHooks.ts';
import { ADDRESSES, BASE } from './addresses.ts';
import { useFollow } from './follow.ts';
import { toggleTheme, useDark } from './theme.ts';

/** Name, region, language, theme, sign-out. */
export function TopBar() {
  const t = useText();
  const language = useLanguage();
  const region = useRegion();
  const session = useSession();
  const dark = useDark();
  const navigate = useNavigate();
  const follow = useFollow();
  const checked = (id: string, text: string, chosen: string) => ({
    id,
    text,
    itemType: 'checkbox' as const,
    checked: id === chosen,
  });
  const known: readonly string[] = REGIONS;
  const regions = known.includes(region) ? known : [region, ...known];
  return (
    <header id="top">
      <TopNavigation
        identity={{
          href: BASE + ADDRESSES.functions,
          title: 'Firefork',
          onFollow: (event) =>
            follow({ detail: { href: BASE + ADDRESSES.functions }, preventDefault: () => event.preventDefault() }),
        }}
        utilities={[
          ...(session
            ? [
                {
                  type: 'menu-dropdown' as const,
                  text: region,
                  ariaLabel: t('regionIs', { region }),
                  items: regions.map((name) => checked(name, name, region)),
                  onItemClick: ({ detail }: { detail: { id: string } }) => {
                    changeRegion(detail.id);
                    navigate(ADDRESSES.functions);
                  },
                },
              ]
            : []),
          {
            type: 'menu-dropdown',
            iconName: 'globe',
            ariaLabel: t('language'),
            title: t('language'),
            items: [checked('en', 'English', language), checked('es', 'Español', language)],
            onItemClick: ({ detail }) => changeLanguage(detail.id as Language),
          },
          {
            type: 'button',
            iconSvg: <ThemeIcon />,
            ariaLabel: dark ? t('lightMode') : t('darkMode'),
            title: dark ? t('lightMode') : t('darkMode'),
            onClick: toggleTheme,
          },
          ...(session
            ? [
                {
                  type: 'menu-dropdown' as const,
                  iconName: 'user-profile' as const,
                  ariaLabel: t('you'),
                  title: t('you'),
                  description: session.accessKeyId,
                  items: [
                    { id: 'account', text: t('account') },
                    { id: 'out', text: t('signOut') },
                  ],
                  onItemClick: ({ detail }: { detail: { id: string } }) =>
                    detail.id === 'out' ? signOut() : navigate(ADDRESSES.account),
                },
              ]
            : []),
        ]}
      />
    </header>
  );
}

function ThemeIcon() {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <circle cx="8" cy="8" r="6" fill="none" strokeWidth="2" />
      <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" stroke="none" />
    </svg>
  );
}
