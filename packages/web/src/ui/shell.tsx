import {
  Activity,
  AudioLines,
  type LucideIcon,
  Monitor,
  Moon,
  ScrollText,
  Search,
  Settings,
  Sun,
} from 'lucide-react';
import type { ReactNode } from 'react';
import { useMay } from '../lib/me.ts';
import { paths, usePath } from '../lib/router.ts';
import { useServerLink } from '../lib/server-link.ts';
import { chooseTheme, type Theme, useTheme } from '../lib/theme.ts';
import { strings } from '../strings.ts';
import { Link } from './link.tsx';
import { UserButton } from './user-button.tsx';

interface Place {
  href: string;
  label: string;
  icon: LucideIcon;
  isHere: (path: string) => boolean;
  /** Left out: everybody sees it. */
  isFor?: 'operate';
}

const places: readonly Place[] = [
  {
    href: paths.home,
    label: strings.nav.rooms,
    icon: AudioLines,
    isHere: (path) => path === '/' || path.startsWith('/rooms/'),
  },
  {
    href: paths.sessions,
    label: strings.nav.sessions,
    icon: ScrollText,
    isHere: (path) => path.startsWith('/sessions'),
  },
  {
    href: paths.search,
    label: strings.nav.search,
    icon: Search,
    isHere: (path) => path === paths.search,
  },
  {
    href: paths.operations,
    label: strings.nav.operations,
    icon: Activity,
    isHere: (path) => path === paths.operations,
  },
  {
    href: paths.settings,
    label: strings.nav.settings,
    icon: Settings,
    isHere: (path) => path === paths.settings,
    isFor: 'operate',
  },
];

/**
 * What is around every page: the way to the others, the theme, and word of a server that is away. Before the sign-in there
 * is no way to the others: each would lead back to it.
 */
export function Shell({ children }: { children: ReactNode }) {
  const isSignIn = usePath() === paths.signIn;
  return (
    <>
      <a
        href="#content"
        className="absolute -top-16 left-3 z-50 rounded-lg bg-accent-fill px-4 py-2 text-white focus:top-3"
      >
        {strings.nav.skip}
      </a>
      <header className="sticky top-0 z-20 border-b border-line bg-card print:hidden">
        <div className="mx-auto flex h-14 max-w-5xl items-center gap-3 px-4 sm:gap-6 sm:px-6">
          <Link href={paths.home} className="flex items-center gap-2 font-semibold tracking-tight">
            <Mark />
            <span className="max-sm:sr-only">{strings.product}</span>
          </Link>
          {isSignIn ? <div className="flex-1" /> : <Places />}
          <ThemeSwitch />
          <UserButton />
        </div>
      </header>
      <LinkBanner />
      {children}
    </>
  );
}

function Places() {
  const path = usePath();
  const may = useMay();
  const shown = places.filter(({ isFor }) => isFor === undefined || may[isFor]);
  return (
    <nav aria-label={strings.nav.label} className="flex flex-1 gap-1 overflow-x-auto">
      {shown.map(({ href, label, icon: Icon, isHere }) => (
        <Link
          key={href}
          href={href}
          title={label}
          aria-current={isHere(path) ? 'page' : undefined}
          className="flex min-h-9 items-center gap-1.5 rounded-lg px-2.5 text-sm font-medium whitespace-nowrap text-soft hover:text-ink aria-[current=page]:bg-well aria-[current=page]:text-ink"
        >
          <Icon aria-hidden className="size-4" />
          <span className="max-sm:sr-only">{label}</span>
        </Link>
      ))}
    </nav>
  );
}

const nextTheme: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const themeIcons: Record<Theme, LucideIcon> = { system: Monitor, light: Sun, dark: Moon };

function ThemeSwitch() {
  const theme = useTheme();
  const Icon = themeIcons[theme];
  const label = `${strings.theme.label}: ${strings.theme[theme]}`;
  return (
    <button
      type="button"
      onClick={() => chooseTheme(nextTheme[theme])}
      aria-label={label}
      title={label}
      className="grid size-9 shrink-0 place-items-center rounded-lg text-soft hover:bg-well hover:text-ink"
    >
      <Icon aria-hidden className="size-[1.125rem]" />
    </button>
  );
}

function LinkBanner() {
  const link = useServerLink();
  if (link === 'up') return <div role="status" />;
  const look = link === 'lost' ? 'bg-bad-well text-bad' : 'bg-good-well text-good';
  return (
    <div role="status" className={`px-4 py-2 text-center text-sm font-medium print:hidden ${look}`}>
      {strings.link[link]}
    </div>
  );
}

function Mark() {
  return (
    <svg aria-hidden viewBox="0 0 32 32" className="size-7">
      <rect width="32" height="32" rx="8" className="fill-accent-fill" />
      <path d="M8 11h16M8 16h11M8 21h6" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" />
      <circle cx="22.5" cy="21" r="2.6" fill="#a5f3c4" />
    </svg>
  );
}
