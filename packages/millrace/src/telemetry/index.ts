export { defineEvent, type TelemetryEvent } from './define-event.ts'
export { events } from './events.ts'
