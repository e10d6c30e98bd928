/** The oldest browsers that the pages and the embedded captions are made for. */
export const browsers = ['chrome123', 'firefox121', 'safari17.5'];

/** The protocol package is read from its source, so that what is not used is not in the bundle. */
export const sources = { conditions: ['dialoglens-source', 'module', 'browser', 'production'] };
