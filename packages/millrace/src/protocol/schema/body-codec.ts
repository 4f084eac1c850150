import { compileDecoder } from './compile-decoder.ts'
import { compileEncoder } from './compile-encoder.ts'
import type { Shape } from './field.ts'
import { mayGenerate } from './generate.ts'
import { interpretDecoder, interpretEncoder, type Decode, type Encode } from './interpret.ts'

/** How bodies of one version are read and written. Both throw WireFault. */
export interface BodyCodec {
  readonly decode: Decode
  readonly encode: Encode
}

export type MakeBodyCodec = (shape: Shape, version: number, isFlexible: boolean) => BodyCodec

/** Closures: slower, allowed everywhere, and the oracle for the other one. */
export function interpretedCodec(shape: Shape, version: number, isFlexible: boolean): BodyCodec {
  return {
    decode: interpretDecoder(shape, version, isFlexible),
    encode: interpretEncoder(shape, version, isFlexible),
  }
}

/** Generated code. Making one takes a fraction of a millisecond. */
export function compiledCodec(shape: Shape, version: number, isFlexible: boolean): BodyCodec {
  return {
    decode: compileDecoder(shape, version, isFlexible),
    encode: compileEncoder(shape, version, isFlexible),
  }
}

export const bestCodec: MakeBodyCodec = (shape, version, isFlexible) =>
  mayGenerate()
    ? compiledCodec(shape, version, isFlexible)
    : interpretedCodec(shape, version, isFlexible)
