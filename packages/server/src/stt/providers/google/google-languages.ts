/** Google wants a region with most languages: where a room names none, the one that most people mean. */
const defaultLocales: Record<string, string> = {
  af: 'af-ZA',
  am: 'am-ET',
  ar: 'ar-EG',
  az: 'az-AZ',
  bg: 'bg-BG',
  bn: 'bn-BD',
  bs: 'bs-BA',
  ca: 'ca-ES',
  cmn: 'cmn-Hans-CN',
  cs: 'cs-CZ',
  da: 'da-DK',
  de: 'de-DE',
  el: 'el-GR',
  en: 'en-US',
  es: 'es-ES',
  et: 'et-EE',
  eu: 'eu-ES',
  fa: 'fa-IR',
  fi: 'fi-FI',
  fil: 'fil-PH',
  fr: 'fr-FR',
  gl: 'gl-ES',
  gu: 'gu-IN',
  he: 'iw-IL',
  hi: 'hi-IN',
  hr: 'hr-HR',
  hu: 'hu-HU',
  hy: 'hy-AM',
  id: 'id-ID',
  is: 'is-IS',
  it: 'it-IT',
  iw: 'iw-IL',
  ja: 'ja-JP',
  jv: 'jv-ID',
  ka: 'ka-GE',
  kk: 'kk-KZ',
  km: 'km-KH',
  kn: 'kn-IN',
  ko: 'ko-KR',
  lo: 'lo-LA',
  lt: 'lt-LT',
  lv: 'lv-LV',
  mk: 'mk-MK',
  ml: 'ml-IN',
  mn: 'mn-MN',
  mr: 'mr-IN',
  ms: 'ms-MY',
  my: 'my-MM',
  nb: 'no-NO',
  ne: 'ne-NP',
  nl: 'nl-NL',
  no: 'no-NO',
  pa: 'pa-Guru-IN',
  pl: 'pl-PL',
  pt: 'pt-BR',
  ro: 'ro-RO',
  ru: 'ru-RU',
  si: 'si-LK',
  sk: 'sk-SK',
  sl: 'sl-SI',
  sq: 'sq-AL',
  sr: 'sr-RS',
  su: 'su-ID',
  sv: 'sv-SE',
  sw: 'sw-KE',
  ta: 'ta-IN',
  te: 'te-IN',
  th: 'th-TH',
  tl: 'fil-PH',
  tr: 'tr-TR',
  uk: 'uk-UA',
  ur: 'ur-PK',
  uz: 'uz-UZ',
  vi: 'vi-VN',
  yue: 'yue-Hant-HK',
  zh: 'cmn-Hans-CN',
  zu: 'zu-ZA',
};

/** Primary tags of the languages that one or the other model of the service knows. */
export const googleLanguages: readonly string[] = Object.keys(defaultLocales);

/** The tag under which Google knows a language; null for one it does not know. */
export function googleLocale(language: string): string | null {
  const [primary = '', ...rest] = language.split('-');
  const known = defaultLocales[primary.toLowerCase()];
  if (known === undefined) return null;
  if (rest.length === 0) return known;
  // `zh-TW` is Mandarin in Taiwan to everybody else.
  if (primary.toLowerCase() === 'zh') return chineseLocale(rest);
  return language;
}

function chineseLocale(rest: readonly string[]): string {
  const region = rest.at(-1)?.toUpperCase();
  if (region === 'TW' || region === 'HANT') return 'cmn-Hant-TW';
  return region === 'HK' ? 'yue-Hant-HK' : 'cmn-Hans-CN';
}
