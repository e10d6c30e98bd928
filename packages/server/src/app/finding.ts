/** What a check of `dialoglens doctor` found. `note`: it works, but the remedy would make it better. */
export interface Finding {
  state: 'ok' | 'note' | 'wrong';
  text: string;
  remedy?: string;
}
