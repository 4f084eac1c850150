import { defineOptions } from '../../config/index.ts'

export const tracingOptions = defineOptions({
  tracing: {
    type: 'flag',
    default: false,
    env: 'MILLRACE_TRACING',
    about:
      'Spans of OpenTelemetry around sends and handlers, and `traceparent` on what is sent; with the SDK that your application registers.',
  },
})
