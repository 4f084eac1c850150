import type { AppDefinition } from '../define-app.ts'
import { tracingLayers } from './tracing.ts'

/** The part of a configuration that names things in spans. */
export interface TracedConfig {
  readonly groupId?: (clientId: string, group: string) => string
  readonly topicName?: (name: string) => string
}

/** The app with spans around its handlers and sends, outside of its own middleware; as it is when tracing is off. */
export function withTracing(
  app: AppDefinition,
  config: TracedConfig,
  options: { readonly tracing: boolean | undefined; readonly clientId: string | undefined },
): AppDefinition {
  const { clientId = 'millrace' } = options
  const { middleware = [] } = app
  // A list that is none is told as a fault elsewhere.
  if (options.tracing !== true || !Array.isArray(middleware)) return app
  const layers = tracingLayers({
    clientId,
    groupId: (group) => config.groupId?.(clientId, group) ?? `${clientId}_${group}`,
    wireName: config.topicName ?? ((name) => name),
  })
  return { ...app, middleware: [layers, ...middleware] }
}
