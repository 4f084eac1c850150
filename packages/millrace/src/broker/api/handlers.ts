import { apiVersionsHandler } from './18-api-versions.ts'
import { fetchHandler } from './01-fetch.ts'
import { listOffsetsHandler } from './02-list-offsets.ts'
import { metadataHandler } from './03-metadata.ts'
import { produceHandler } from './00-produce.ts'
import type { Handler } from './define-handler.ts'

/** Every API this broker serves. ApiVersions is derived from it. */
export const handlers: readonly Handler[] = [
  produceHandler,
  fetchHandler,
  listOffsetsHandler,
  metadataHandler,
  apiVersionsHandler,
]

export const handlerByKey: ReadonlyMap<number, Handler> = new Map(
  handlers.map((handler) => [handler.api.key, handler]),
)
