import { type InputHTMLAttributes, useId } from 'react';

/** A line of text with its label, a hint, and what is wrong with it. */
export function Field({
  label,
  hint,
  error,
  className = '',
  ...rest
}: InputHTMLAttributes<HTMLInputElement> & { label: string; hint?: string; error?: string | undefined }) {
  const id = useId();
  const described = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      <input
        id={id}
        aria-invalid={error !== undefined}
        aria-describedby={described || undefined}
        className="min-h-10 w-full rounded-lg border border-edge bg-card px-3 text-ink placeholder:text-soft"
        {...rest}
      />
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-[0.8125rem] text-soft">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} role="alert" className="mt-1 text-[0.8125rem] text-bad">
          {error}
        </p>
      )}
    </div>
  );
}
