import Link, { type LinkProps } from '@cloudscape-design/components/link';
import type { ReactNode } from 'react';
import { BASE } from './addresses.ts';
import { useFollow } from './follow.ts';

interface Props {
  /** An address of the console, see ADDRESSES. */
  readonly to: string;
  readonly children: ReactNode;
  readonly variant?: LinkProps['variant'];
}

/** A link inside the console: no new page load, and still a real address for a new tab. */
export function PageLink({ to, children, variant = 'secondary' }: Props) {
  const follow = useFollow();
  return (
    <Link href={BASE + to} variant={variant} onFollow={follow}>
      {children}
    </Link>
  );
}
