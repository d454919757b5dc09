#include "libs/websocket/client.h"
