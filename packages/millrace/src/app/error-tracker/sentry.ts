import { createRequire } from 'node:module'

import { failure } from '../../errors/index.ts'
import type { MiddlewareLayers } from '../middleware/middleware.ts'
import type { ErrorReport } from './report.ts'

/** What is used of `@sentry/node`; its versions from 9 on have it. */
interface SentryApi {
  captureException(error: unknown, hint: { readonly captureContext: object }): unknown
  withIsolationScope<T>(callback: (scope: SentryScope) => T): T
  withIsolationScope<T>(scope: SentryScope, callback: () => T): T
}

interface SentryScope {
  setTags(tags: Readonly<Record<string, string | number>>): unknown
  setTransactionName(name: string): unknown
}

export interface SentryOptions {
  /** `import * as Sentry from '@sentry/node'`. Default: the one that is installed. */
  readonly sentry?: object
  /** Default: every error is reported, each attempt of a message once. */
  readonly shouldReport?: (report: ErrorReport) => boolean
}

const require = createRequire(import.meta.url)

/**
 * A middleware for Sentry, which the application has initialised: every error is one event, and each handler call has
 * an isolation scope of its own, with consumer, group, topic and partition as tags on all that is captured in it.
 *
 * @throws MR_SENTRY_MISSING when `@sentry/node` is neither given nor installed
 * @example
 * defineApp({ middleware: [sentry({ shouldReport: ({ type }) => type !== 'commit' })] })
 */
export function sentry({
  sentry: given,
  shouldReport = () => true,
}: SentryOptions = {}): MiddlewareLayers {
  const api = (given ?? loadSentry()) as SentryApi
  /** The scope of the call that threw it, since errors are told after the call, and breadcrumbs lie there. */
  const scopeByError = new WeakMap<object, SentryScope>()
  return {
    name: 'sentry',
    consume: ({ context, topic, partition }, next) =>
      api.withIsolationScope(async (scope) => {
        const { consumer, group } = context
        scope.setTags({ consumer, group, topic, partition })
        scope.setTransactionName(consumer)
        try {
          return await next()
        } catch (error) {
          if (typeof error === 'object' && error !== null) scopeByError.set(error, scope)
          throw error
        }
      }),
    error(report) {
      if (!shouldReport(report)) return
      const { error } = report
      const captureContext = captureContextOf(report)
      const capture = (): unknown => api.captureException(error, { captureContext })
      const scope =
        typeof error === 'object' && error !== null ? scopeByError.get(error) : undefined
      if (scope === undefined) capture()
      else api.withIsolationScope(scope, capture)
    },
  }
}

function captureContextOf({ error: _, type, ...place }: ErrorReport): object {
  const known = Object.fromEntries(
    Object.entries(place).filter(([, value]) => value !== undefined),
  ) as Record<string, string | number>
  // An offset or an attempt as a tag would be a value of its own for each event.
  const { offset: _offset, attempt: _attempt, ...tags } = known
  return { tags: { ...tags, place: type }, contexts: { millrace: { ...known, place: type } } }
}

function loadSentry(): object {
  try {
    return require('@sentry/node') as object
  } catch (cause) {
    throw failure('MR_SENTRY_MISSING', {}, { cause })
  }
}
