import type { AnyApi } from '../../protocol/index.ts'

/** Versions a broker offers, by API key: [least, greatest]. */
export type ApiRanges = ReadonlyMap<number, readonly [number, number]>

/** The ApiVersions exchange itself, before anything is known. */
export const unknownRanges: ApiRanges = new Map()

export interface VersionBounds {
  readonly minVersion?: number | undefined
  readonly maxVersion?: number | undefined
}

/** What we can speak of an API within the caller's bounds. */
export function wantedRange(api: AnyApi, bounds: VersionBounds): readonly [number, number] {
  const [min, max] = api.versions
  return [Math.max(min, bounds.minVersion ?? min), Math.min(max, bounds.maxVersion ?? max)]
}

/** The highest version that both sides speak within the bounds, or undefined when there is none. */
export function commonVersion(
  api: AnyApi,
  offered: ApiRanges,
  bounds: VersionBounds = {},
): number | undefined {
  const theirs = offered.get(api.key)
  if (theirs === undefined) return undefined
  const [least, greatest] = wantedRange(api, bounds)
  const version = Math.min(greatest, theirs[1])
  return version >= Math.max(least, theirs[0]) ? version : undefined
}
