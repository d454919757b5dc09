#include "libs/websocket/server.h"
