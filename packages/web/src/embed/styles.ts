/**
 * The look of embedded captions. Pages change it by the custom properties and the parts that docs/guides/embed.md lists;
 * nothing else of a page reaches in, and nothing of this reaches out.
 */
export const styles = `
:host {
  color-scheme: light dark;
  display: block;
  font: var(--dialoglens-font, inherit);
  color: var(--dialoglens-color, light-dark(#14171c, #eceef2));
}
:host([hidden]) { display: none; }
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
[part~="box"] {
  position: relative;
  box-sizing: border-box;
  /* What does not fit leaves at the top: the newest words are the last. */
  display: flex;
  flex-direction: column;
  justify-content: flex-end;
  min-height: calc(1.5em + 2 * var(--dialoglens-padding, 0.75rem));
  max-height: 100%;
  overflow: hidden;
  padding: var(--dialoglens-padding, 0.75rem);
  border-radius: var(--dialoglens-radius, 0.5rem);
  background: var(--dialoglens-background, light-dark(#ffffff, #15181d));
}
ol { margin: 0; padding: 0; list-style: none; display: grid; gap: var(--dialoglens-gap, 0.25rem); }
ol:empty { display: none; }
li { overflow-wrap: anywhere; animation: appear 0.15s ease-out; }
p { margin: 0; color: var(--dialoglens-soft, light-dark(#545d69, #a2abb8)); }
p:empty { display: none; }
[part~="speaker"] { font-weight: 600; margin-inline-end: 0.5em; }
[part~="tail"] { font-style: italic; color: var(--dialoglens-soft, light-dark(#545d69, #a2abb8)); }
[role="log"] { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
/* As in styles.css, where their contrast is measured. */
[data-colour="0"] { color: var(--dialoglens-speaker-1, light-dark(#3730a3, #a5b4fc)); }
[data-colour="1"] { color: var(--dialoglens-speaker-2, light-dark(#9a3412, #fdba74)); }
[data-colour="2"] { color: var(--dialoglens-speaker-3, light-dark(#065f46, #6ee7b7)); }
[data-colour="3"] { color: var(--dialoglens-speaker-4, light-dark(#9d174d, #f9a8d4)); }
[data-colour="4"] { color: var(--dialoglens-speaker-5, light-dark(#155e75, #67e8f9)); }
[data-colour="5"] { color: var(--dialoglens-speaker-6, light-dark(#6b21a8, #d8b4fe)); }
[data-colour="6"] { color: var(--dialoglens-speaker-7, light-dark(#4d5310, #d9e66b)); }
[data-colour="7"] { color: var(--dialoglens-speaker-8, light-dark(#991b1b, #fca5a5)); }
@keyframes appear { from { opacity: 0; } }
@media (prefers-reduced-motion: reduce) { li { animation: none; } }
@media (forced-colors: active) { [data-colour], [part~="tail"], p { color: CanvasText; } }
`;
