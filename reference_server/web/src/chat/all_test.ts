import "./address_test";
import "./backoff_test";
import "./connection_test";
import "./envelope_test";
import "./outbox_test";
import "./room_test";
import "./room_name_test";
import "./timeline_test";
