urlpatterns = []  # the page of the seed is not what is tested here
