#include "libs/websocket/raw_client.h"
