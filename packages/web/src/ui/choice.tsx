import { type SelectHTMLAttributes, useId } from 'react';

/** One of a few, with its label and a hint. */
export function Choice({
  label,
  hint,
  options,
  ...rest
}: SelectHTMLAttributes<HTMLSelectElement> & {
  label: string;
  hint?: string;
  options: readonly { value: string; label: string }[];
}) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      <select
        id={id}
        aria-describedby={hint ? `${id}-hint` : undefined}
        className="min-h-10 w-full rounded-lg border border-edge bg-card px-2.5 text-ink disabled:opacity-70"
        {...rest}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-[0.8125rem] text-soft">
          {hint}
        </p>
      )}
    </div>
  );
}
