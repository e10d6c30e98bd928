import { type ReactNode, useEffect, useRef } from 'react';
import { strings } from '../strings.ts';

/** A page with its heading, which gets the focus when the page opens so that screen readers begin there. */
export function Page({
  title,
  tab,
  lead,
  actions,
  children,
}: {
  title: ReactNode;
  /** What the browser's tab says. */
  tab: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${tab} · ${strings.product}`;
  }, [tab]);
  useEffect(() => {
    if (location.hash === '') heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <main id="content" className="mx-auto w-full max-w-5xl px-4 pt-6 pb-16 sm:px-6 sm:pt-9">
      <header className="mb-6 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <h1 ref={heading} tabIndex={-1} className="text-2xl font-semibold tracking-tight">
            {title}
          </h1>
          {lead !== undefined && <div className="mt-1 text-soft">{lead}</div>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap gap-2 print:hidden">{actions}</div>}
      </header>
      {children}
    </main>
  );
}

/** A part of a page with a heading of its own. */
export function Section({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="mb-10" aria-label={title}>
      <div className="mb-3 flex items-baseline justify-between gap-4">
        <h2 className="text-base font-semibold">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** The surface that things lie on. */
export function Card({ children, className = '' }: { children: ReactNode; className?: string }) {
  return <div className={`rounded-xl border border-line bg-card ${className}`}>{children}</div>;
}
